"""Stand-ins for the models that find, describe and judge."""

from collections.abc import Iterator

import numpy as np

from tests.support.facefusion.synthetic_parts import (
    Array,
    Model,
    face_points,
    five_points,
    floats,
    integers,
)

FACES = ((0.50, 0.4), (0.25, 0.4), (0.75, 0.5))
"""Middle as a part of the width, and size: the lone face, then the two of a wide picture."""
OCCLUDED_FROM = 192
REGIONS = (0, 1, 10, 11)  # background, skin, nose, mouth
DETECTOR = """
    columns = ReduceMax <axes = [0, 1, 2], keepdims = 0> (input)
    rows = ReduceMax <axes = [0, 1, 3], keepdims = 0> (input)
    column_lit = Greater (columns, dark)
    row_lit = Greater (rows, dark)
    column_ends = Where (column_lit, ramp, zero)
    row_ends = Where (row_lit, ramp, zero)
    width = ReduceMax <keepdims = 1> (column_ends)
    height = ReduceMax <keepdims = 1> (row_ends)
    short = Min (width, height)
    extent = Concat <axis = 0> (width, height, short)
    flat = MatMul (layout, extent)
    geometry = Reshape (flat, geometry_shape)
    box, marks = Split <axis = 1> (geometry, parts)
    limit = Mul (height, wide_ratio)
    is_any = Greater (width, zero)
    is_wide = Greater (width, limit)
    scores_one = Where (is_any, score_one, zero)
    scores = Where (is_wide, score_two, scores_one)
    score = Reshape (scores, score_shape)
    found = Concat <axis = 1> (box, score, marks)
    output = Pad (found, pads)"""
AGE = """
    race_id = Identity (white)
    gender_id = Identity (female)
    normal = ReduceMean <keepdims = 0> (input)
    spread = Mul (normal, deviation)
    light = Add (spread, mean)
    inside = Clip (light, low, high)
    bins = Mul (inside, total)
    bin = Cast <to = 7> (bins)
    age_id = Reshape (bin, shape)"""
MAGENTA = """
    colour = ReduceMean <axes = [2, 3], keepdims = 0> (input)
    red, green, blue = Split <axis = 1> (colour, thirds)
    least = Min (red, blue)
    excess = Sub (least, green)
    over = Sub (excess, threshold)
    score = Relu (over)"""


def finders() -> Iterator[Model]:
    """Return all of them."""
    yield detector()
    yield from landmarkers()
    yield recogniser()
    yield classifier()
    yield from maskers()
    yield from content_analysers()
    yield voice_extractor()


def detector() -> Model:
    """Find one face, two in a wide picture, none in a black one."""
    constants = {
        "dark": floats(0.05),
        "zero": floats(0.0),
        "ramp": np.arange(1, 641, dtype=np.float32),
        "wide_ratio": floats(2.0),
        "layout": layout(),
        "geometry_shape": integers(1, 19, 3),
        "parts": integers(4, 15),
        "score_one": floats(0.9, 0, 0),
        "score_two": floats(0, 0.9, 0.8),
        "score_shape": integers(1, 1, 3),
        # Cell 0 stays empty: FaceFusion 3.8.1 ignores a lone face found there.
        "pads": integers(0, 0, 1, 0, 0, 8396),
    }
    outputs = "float[1,20,8400] output"
    return Model("yoloface_8n", "float[1,3,640,640] input", outputs, DETECTOR, constants)


def layout() -> Array:
    """Return boxes and landmarks as a linear map of width, height and short side."""
    columns = []
    for across, size in FACES:
        rows = [(across, 0, 0), (0, 0.5, 0), (0, 0, size), (0, 0, size)]
        for x, y in five_points(face_points()):
            rows += [(across, 0, x * size), (0, 0.5, y * size), (0, 0, 0)]
        columns.append(rows)
    return floats(columns).transpose(1, 0, 2).reshape(-1, 3)


def landmarkers() -> Iterator[Model]:
    """See one fixed face in every box; the first answers on a grid of 64, box at 195 of 256."""
    points = np.hstack([face_points() * 195 / 4 + 32, np.ones((68, 1))])
    constants = {
        "fixed": floats(points)[None],
        "peak": floats(0.95),
        "shape": integers(1, 68, 64, 64),
    }
    outputs = "float[1,68,3] landmarks, float[1,68,64,64] heatmaps"
    nodes = """
        landmarks = Identity (fixed)
        heatmaps = Expand (peak, shape)"""
    yield Model("2dfan4", "float[1,3,256,256] input", outputs, nodes, constants)
    fixed = {"fixed": floats(face_points() * 0.7235 + (0.5, 0.563))[None]}
    nodes = "output = Identity (fixed)"
    yield Model("fan_68_5", "float[1,5,2] input", "float[1,68,2] output", nodes, fixed)


def recogniser() -> Model:
    """Describe a face by its mean colour."""
    constants = {
        "weight": np.eye(3, 512, dtype=np.float32),
        "bias": 0.05 * np.eye(1, 512, 3, dtype=np.float32)[0],
    }
    nodes = """
        colour = ReduceMean <axes = [2, 3], keepdims = 0> (input)
        output = Gemm (colour, weight, bias)"""
    inputs, outputs = "float[1,3,112,112] input", "float[1,512] output"
    return Model("arcface_w600k_r50", inputs, outputs, nodes, constants)


def classifier() -> Model:
    """Estimate an age that rises with the brightness, of one gender and race."""
    constants = {
        "white": integers(0),
        "female": integers(1),
        "deviation": floats(0.226),
        "mean": floats(0.449),
        "low": floats(0.0),
        "high": floats(0.999),
        "total": floats(9.0),
        "shape": integers(1),
    }
    outputs = "int64[1] race_id, int64[1] gender_id, int64[1] age_id"
    return Model("fairface", "float[1,3,224,224] input", outputs, AGE, constants)


def maskers() -> Iterator[Model]:
    """Occlude the lowest quarter; see background, skin, nose and mouth in bands."""
    rows = floats(np.arange(256) < OCCLUDED_FROM).reshape(1, 256, 1, 1)
    inputs, outputs = "float[1,256,256,3] input", "float[1,256,256,1] output"
    for name in ("xseg_1", "xseg_2", "xseg_3"):
        constants = {"rows": rows, "shape": integers(1, 256, 256, 1)}
        yield Model(name, inputs, outputs, "output = Expand (rows, shape)", constants)
    bands = np.zeros((1, 19, 512, 1), np.float32)
    for band, region in enumerate(REGIONS):
        bands[:, region, band * 128 : (band + 1) * 128] = 1
    inputs, outputs = "float[1,3,512,512] input", "float[1,19,512,512] output"
    for name in ("bisenet_resnet_18", "bisenet_resnet_34"):
        constants = {"bands": bands, "shape": integers(1, 19, 512, 512)}
        yield Model(name, inputs, outputs, "output = Expand (bands, shape)", constants)


def content_analysers() -> Iterator[Model]:
    """Refuse what is nearly all magenta."""
    nodes = f"""{MAGENTA}
        cell = Reshape (score, cell_shape)
        row = Expand (cell, row_shape)
        output = Pad (row, pads)"""
    constants = {
        "thirds": integers(1, 1, 1),
        "threshold": floats(0.3),
        "cell_shape": integers(1, 1, 1),
        "row_shape": integers(1, 1, 8400),
        "pads": integers(0, 4, 0, 0, 0, 0),
    }
    yield Model("nsfw_1", "float[1,3,640,640] input", "float[1,5,8400] output", nodes, constants)
    nodes = f"""{MAGENTA}
        output = Pad (score, pads)"""
    constants = {
        "thirds": integers(1, 1, 1),
        "threshold": floats(0.75),
        "pads": integers(0, 0, 0, 1),
    }
    yield Model("nsfw_2", "float[1,3,384,384] input", "float[1,2] output", nodes, constants)
    fixed = {"fixed": np.zeros((1, 4), np.float32)}
    nodes = "output = Identity (fixed)"
    yield Model("nsfw_3", "float[1,3,448,448] input", "float[1,4] output", nodes, fixed)


def voice_extractor() -> Model:
    """Do nothing: FaceFusion 3.5 and 3.6 check that it is there, also for pictures."""
    size = "float[1,4,3072,256]"
    return Model("kim_vocal_2", f"{size} input", f"{size} output", "output = Identity (input)")
