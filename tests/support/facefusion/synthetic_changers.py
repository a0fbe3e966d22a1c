"""Stand-ins for the models that change a face."""

from collections.abc import Iterator

import numpy as np

from tests.support.facefusion.synthetic_parts import Array, Model, floats, integers

ENHANCERS = {  # side of the face in pixels, and step of brightness in the model's range of -1 to 1
    "gfpgan_1.2": (512, 0.20),
    "gfpgan_1.3": (512, 0.25),
    "gfpgan_1.4": (512, 0.30),
    "gpen_bfr_256": (256, 0.35),
    "gpen_bfr_512": (512, 0.40),
    "gpen_bfr_1024": (1024, 0.45),
    "gpen_bfr_2048": (2048, 0.50),
    "restoreformer_plus_plus": (512, 0.15),
}
STRIPE = 4
SWAP = """
    head = Slice (source, first, last, axis)
    colour = Reshape (head, shape)
    scaled = Mul (colour, gain)
    flat = {squash} (scaled)
    both = Add (target, flat)
    output = Mul (both, half)"""
MOTION = """
    mean = ReduceMean <keepdims = 0> (input)
    still = Mul (mean, zero)
    pitch = Identity (still)
    yaw = Identity (still)
    roll = Identity (still)
    scale = Add (still, unit)
    translation = Add (still, origin)
    expression = Add (still, neutral)
    motion_points = Add (still, rest)"""
TINT = """
    packed = Reshape (feature_volume, packed_shape)
    used = Slice (packed, first, last, axis)
    image = DepthToSpace <blocksize = 4> (used)
    large = Resize <mode = "nearest"> (image, , scales)
    motion = Sub (source, target)
    counter = Neg (motion)
    more = Relu (motion)
    less = Relu (counter)
    red = ReduceSum <keepdims = 0> (more)
    blue = ReduceSum <keepdims = 0> (less)
    red_cell = Reshape (red, cell)
    blue_cell = Reshape (blue, cell)
    colour = Concat <axis = 1> (red_cell, green_cell, blue_cell)
    strong = Mul (colour, gain)
    tint = Clip (strong, low, high)
    output = Add (large, tint)"""


def changers() -> Iterator[Model]:
    """Return all of them."""
    yield from enhancers()
    yield from age_modifiers()
    yield from swappers()
    yield from portrait_readers()
    yield from portrait_retargeters()
    yield portrait_generator()


def enhancers() -> Iterator[Model]:
    """Brighten a face by a step of each model's own; codeformer's is its weight's."""
    for name, (side, step) in ENHANCERS.items():
        size = f"float[1,3,{side},{side}]"
        constants = {"step": floats(step)}
        yield Model(
            name, f"{size} input", f"{size} output", "output = Add (input, step)", constants
        )
    size = "float[1,3,512,512]"
    nodes = """
        amount = Cast <to = 1> (weight)
        step = Mul (amount, most)
        output = Add (input, step)"""
    inputs, constants = f"{size} input, double[1] weight", {"most": floats(1.1)}
    yield Model("codeformer", inputs, f"{size} output", nodes, constants)


def age_modifiers() -> Iterator[Model]:
    """Brighten by the years from estimate to target; `styleganex_age` draws stripes.

    FaceFusion gives that one's picture its old colours back, so that fine stripes alone are seen.
    """
    nodes = """
        age_from, age_to = Split <axis = 0> (direction, halves)
        years = Sub (age_to, age_from)
        step = Mul (years, most)
        output = Add (target, step)"""
    inputs = "float[1,3,1024,1024] target, float[2] direction"
    constants = {"halves": integers(1, 1), "most": floats(0.5)}
    yield Model("fran", inputs, "float[1,3,1024,1024] output", nodes, constants)
    inputs = "float[1,3,256,256] target, float[1,3,384,384] target_with_background, float direction"
    nodes = """
        pattern = Mul (stripes, direction)
        output = Add (target_with_background, pattern)"""
    stripes = np.where(np.arange(384) // STRIPE % 2, 0.1, -0.1)
    constants = {"stripes": floats(stripes).reshape(1, 1, 1, 384)}
    yield Model("styleganex_age", inputs, "float[1,3,384,384] output", nodes, constants)


def swappers() -> Iterator[Model]:
    """Return half of the target and half of a flat colour from the source's description."""
    constants = {
        "first": integers(0),
        "last": integers(3),
        "axis": integers(1),
        "shape": integers(1, 3, 1, 1),
        "half": floats(0.5),
    }
    # FaceFusion multiplies a source's description with the last constant of inswapper's file.
    own = {"gain": floats(4.0), "emap": np.eye(512, dtype=np.float32)}
    yield swapper("inswapper_128", 128, SWAP.format(squash="Sigmoid"), constants | own)
    for letter in "abc":
        nodes = SWAP.format(squash="Tanh")
        own = {"gain": floats(2.0)}
        yield swapper(f"hyperswap_1{letter}_256", 256, nodes, constants | own)


def swapper(name: str, side: int, nodes: str, constants: dict[str, Array]) -> Model:
    """Return a swapper of faces of one size."""
    size = f"float[1,3,{side},{side}]"
    inputs = f"{size} target, float[1,512] source"
    return Model(name, inputs, f"{size} output", nodes, constants)


def portrait_readers() -> Iterator[Model]:
    """Carry the picture in the features, and see no motion."""
    nodes = """
        packed = SpaceToDepth <blocksize = 4> (input)
        padded = Pad (packed, pads)
        output = Reshape (padded, shape)"""
    constants = {
        "pads": integers(0, 0, 0, 0, 0, 464, 0, 0),
        "shape": integers(1, 32, 16, 64, 64),
    }
    inputs, outputs = "float[1,3,256,256] input", "float[1,32,16,64,64] output"
    yield Model("live_portrait_feature_extractor", inputs, outputs, nodes, constants)
    outputs = (
        "float pitch, float yaw, float roll, float[1,1] scale, float[1,3] translation, "
        "float[1,21,3] expression, float[1,21,3] motion_points"
    )
    constants = {
        "zero": floats(0.0),
        "unit": np.ones((1, 1), np.float32),
        "origin": np.zeros((1, 3), np.float32),
        "neutral": np.zeros((1, 21, 3), np.float32),
        "rest": floats(np.linspace(-0.1, 0.1, 63)).reshape(1, 21, 3),
    }
    yield Model("live_portrait_motion_extractor", inputs, outputs, MOTION, constants)


def portrait_retargeters() -> Iterator[Model]:
    """Move all points by how far eyes or lips are to open, by the last input."""
    nodes = """
        goal = Slice (input, first, last, axis)
        signed = Sub (goal, middle)
        small = Mul (signed, gain)
        output = Expand (small, shape)"""
    for name, size, middle in (("eye", 66, 0.3), ("lip", 65, 0.5)):
        constants = {
            "first": integers(size - 1),
            "last": integers(size),
            "axis": integers(1),
            "middle": floats(middle),
            "gain": floats(0.002),
            "shape": integers(1, 63),
        }
        inputs, outputs = f"float[1,{size}] input", "float[1,63] output"
        yield Model(f"live_portrait_{name}_retargeter", inputs, outputs, nodes, constants)
    inputs = "float[1,21,3] source, float[1,21,3] target"
    outputs, nodes = "float[1,21,3] output", "output = Identity (source)"
    yield Model("live_portrait_stitcher", inputs, outputs, nodes)


def portrait_generator() -> Model:
    """Return the picture back, with red for motion one way and blue for the other."""
    constants = {
        "packed_shape": integers(1, 512, 64, 64),
        "first": integers(0),
        "last": integers(48),
        "axis": integers(1),
        "scales": floats(1, 1, 2, 2),
        "cell": integers(1, 1, 1, 1),
        "green_cell": np.zeros((1, 1, 1, 1), np.float32),
        "gain": floats(4.0),
        "low": floats(0.0),
        "high": floats(0.5),
    }
    inputs = "float[1,32,16,64,64] feature_volume, float[1,21,3] source, float[1,21,3] target"
    outputs = "float[1,3,512,512] output"
    return Model("live_portrait_generator", inputs, outputs, TINT, constants)
