"""What the preview engine promises for every operation."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from storycanvas.faces.errors import EngineFailed, NoFace
from storycanvas.faces.measures.weights import FACE_MESH
from storycanvas.faces.operations import (
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhancementModel,
    EnhanceOperation,
    FaceOperation,
    FaceSelectorMode,
    FaceSelectorOrder,
    MaskOperation,
    SwapOperation,
)
from storycanvas.faces.pictures.reading import Picture, normal_form, read_picture
from storycanvas.host.engines.engine import Engine, EngineUnusable
from storycanvas.host.engines.preview import PreviewEngine
from storycanvas.host.engines.preview import engine as engine_module
from tests.support.paths import ROOT

SAMPLES = ROOT / "samples"
WHOLE = read_picture((SAMPLES / "portrait.png").read_bytes(), "portrait.png")
PORTRAIT = normal_form(Image.open(SAMPLES / "portrait.png").crop((110, 0, 350, 240)))
"""The head and what is around it: small, so that searching it is quick."""
TARGET = read_picture((SAMPLES / "target.jpg").read_bytes(), "target.jpg")
HEAD = np.s_[0:215, 25:205]
"""Where the head with its hair is in the portrait; rows and columns."""
FACE = np.s_[60:185, 55:175]

ENGINE = PreviewEngine()
CHANGES: list[FaceOperation] = [
    EnhanceOperation(),
    AgeAdjustOperation(target_age=12),
    AgeAdjustOperation(target_age=70),
    SwapOperation(),
    EditOperation(face_editor_mouth_smile=100),
    EditOperation(face_editor_head_yaw=-100, face_editor_head_roll=100),
]


def pixels(picture: Picture | None) -> np.ndarray:
    assert picture is not None
    return np.array(Image.open(io.BytesIO(picture.png)), np.int16)


def inputs(operation: FaceOperation, picture: Picture = PORTRAIT) -> list[Picture]:
    return [TARGET, picture] if isinstance(operation, SwapOperation) else [picture]


@cache
def changed(operation: FaceOperation, picture: Picture = PORTRAIT) -> Picture:
    result = ENGINE.run(operation, inputs(operation, picture)).picture
    assert result is not None
    return result


def difference(before: Picture, after: Picture, part: tuple[slice, slice] = FACE) -> float:
    return float(np.abs(pixels(before)[part] - pixels(after)[part]).mean())


def landscape() -> Image.Image:
    rows, columns = np.mgrid[0:400, 0:600]
    hills = 220 + 30 * np.sin(columns / 70) + 12 * np.sin(columns / 23)
    picture = np.where((rows > hills)[:, :, None], (60, 110, 50), (150, 190, 230)).astype(float)
    picture += np.random.default_rng(4).normal(0, 6, picture.shape)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


FACELESS = {
    "landscape": landscape(),
    "gradient": Image.linear_gradient("L").resize((512, 512)).convert("RGB"),
    "noise": Image.fromarray(
        np.random.default_rng(5).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    ),
    "tiny": Image.new("RGB", (1, 1), "grey"),
}


def two_people() -> Picture:
    large = Image.fromarray(pixels(PORTRAIT).astype(np.uint8))
    canvas = Image.new("RGB", (700, 420), (150, 150, 150))
    canvas.paste(large.resize((360, 360)), (330, 60))
    canvas.paste(large.resize((250, 250)), (20, 10))
    return normal_form(canvas)


TWO_PEOPLE = two_people()
SMALL_ONE, LARGE_ONE = np.s_[0:270, 0:290], np.s_[40:420, 330:700]


@pytest.mark.parametrize("operation", CHANGES, ids=str)
def test_only_the_head_changes(operation: FaceOperation) -> None:
    before, after = pixels(PORTRAIT), pixels(changed(operation))
    assert np.abs(after[FACE] - before[FACE]).mean() > 1
    after[HEAD] = before[HEAD]
    assert np.array_equal(after, before)


@pytest.mark.parametrize("operation", [EnhanceOperation(), SwapOperation()], ids=str)
def test_enhance_and_swap_leave_the_hair_alone(operation: FaceOperation) -> None:
    crown = np.s_[0:50, 25:205]
    assert difference(changed(operation), PORTRAIT, crown) == 0


@pytest.mark.parametrize(
    "operation",
    [
        EnhanceOperation(face_enhancer_blend=0),
        AgeAdjustOperation(target_age=80, age_adjustment_blend=0),
        AgeAdjustOperation(target_age=10, age_adjustment_blend=0),
        EditOperation(),
        EditOperation(face_editor_mouth_smile=0, face_editor_head_yaw=0),
    ],
    ids=str,
)
def test_what_asks_for_no_change_gives_the_input_bit_for_bit(operation: FaceOperation) -> None:
    assert changed(operation).sha256 == PORTRAIT.sha256


@pytest.mark.parametrize(
    ("half", "full"),
    [
        (EnhanceOperation(face_enhancer_blend=0.5), EnhanceOperation()),
        (
            AgeAdjustOperation(target_age=65, age_adjustment_blend=0.5),
            AgeAdjustOperation(target_age=65),
        ),
    ],
    ids=["enhance", "age_adjust"],
)
def test_a_blend_mixes_linearly(half: FaceOperation, full: FaceOperation) -> None:
    middle = (pixels(PORTRAIT) + pixels(changed(full))) / 2
    assert np.abs(pixels(changed(half)) - middle).max() <= 1


@pytest.mark.parametrize("operation", [*CHANGES, MaskOperation()], ids=str)
def test_another_engine_gives_the_same_bytes(operation: FaceOperation) -> None:
    again = PreviewEngine().run(operation, inputs(operation)).picture
    assert again == changed(operation)


def test_threads_do_not_disturb_each_other() -> None:
    operation = AgeAdjustOperation(target_age=50)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: ENGINE.run(operation, [PORTRAIT]), range(6)))
    assert {result.picture for result in results} == {changed(operation)}


@pytest.mark.parametrize("operation", CHANGES, ids=str)
def test_alpha_and_profile_are_kept(operation: FaceOperation) -> None:
    image = Image.fromarray(pixels(PORTRAIT).astype(np.uint8)).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.info["icc_profile"] = profile
    after = changed(operation, normal_form(image))
    assert np.array_equal(pixels(after)[:, :, 3], np.array(image.getchannel("A")))
    assert Image.open(io.BytesIO(after.png)).info["icc_profile"] == profile


def test_enhancing_raises_the_contrast_of_contours_with_the_blend() -> None:
    def sharpness(picture: Picture) -> float:
        grey = pixels(picture)[FACE].mean(axis=2)
        return float(np.abs(np.diff(grey, axis=0)).mean())

    blends = [changed(EnhanceOperation(face_enhancer_blend=share / 4)) for share in range(5)]
    steps = [sharpness(picture) for picture in blends]
    assert steps == sorted(steps)
    assert steps[-1] > 1.05 * steps[0]


def test_enhancing_makes_no_halos() -> None:
    """No pixel is much darker or lighter than the darkest and lightest of those around it."""
    before, after = (
        np.uint8(pixels(p).mean(axis=2)) for p in (PORTRAIT, changed(EnhanceOperation()))
    )
    around = np.ones((7, 7), np.uint8)
    darkest, lightest = cv2.erode(before, around), cv2.dilate(before, around)
    beyond = np.maximum(darkest.astype(int) - after, after - lightest.astype(int))
    assert beyond.max() <= 8


def test_no_two_enhancers_are_alike() -> None:
    results = {
        changed(EnhanceOperation(enhancement_model=model)).sha256 for model in EnhancementModel
    }
    assert len(results) == len(EnhancementModel)


def test_a_swap_keeps_the_light_and_the_colour_of_the_target() -> None:
    made = ENGINE.run(SwapOperation(), [PORTRAIT, TARGET])
    seen = made.faces[0]
    x, y = seen.x + seen.width // 5, seen.y + seen.height // 5
    halves = [
        np.s_[y : y + seen.height // 2, left : left + seen.width // 4]
        for left in (x, x + seen.width // 3)
    ]
    for half in halves:
        before, after = (
            pixels(picture)[half].mean(axis=(0, 1)) for picture in (TARGET, made.picture)
        )
        assert np.abs(after - before).max() < 12


def test_a_swap_shows_the_source_face_in_the_target() -> None:
    after = ENGINE.run(SwapOperation(), [PORTRAIT, TARGET])
    assert after.picture is not None
    assert (after.picture.width, after.picture.height) == (TARGET.width, TARGET.height)
    seen = after.faces[0]
    inner = np.s_[seen.y + 40 : seen.y + seen.height, seen.x + 40 : seen.x + seen.width - 40]
    assert difference(after.picture, TARGET, inner) > 3

    def grain(picture: Picture) -> float:
        return float(np.abs(np.diff(pixels(picture)[inner].mean(axis=2), axis=1)).mean())

    assert grain(after.picture) > 1.5 * grain(TARGET)


def test_a_mask_is_white_on_the_face_and_black_elsewhere() -> None:
    mask = pixels(changed(MaskOperation()))
    assert mask.shape == pixels(PORTRAIT).shape
    assert mask[130, 113].tolist() == [255, 255, 255]
    assert set(np.unique(mask[120])) > {0, 255}
    mask[HEAD] = 0
    assert not mask.any()


def test_the_portrait_has_one_face_and_detecting_gives_no_picture() -> None:
    result = ENGINE.run(DetectOperation(), [WHOLE])
    assert result.picture is None
    (face,) = result.faces
    assert face.x < 200 < face.x + face.width
    assert face.y < 100 < face.y + face.height
    assert face.estimated_age == result.estimated_age


@pytest.mark.parametrize("name", FACELESS)
def test_detecting_nothing_is_no_error(name: str) -> None:
    result = ENGINE.run(DetectOperation(), [normal_form(FACELESS[name])])
    assert (result.picture, result.faces, result.estimated_age) == (None, (), None)


@pytest.mark.parametrize("operation", [*CHANGES, MaskOperation()], ids=str)
def test_a_needed_face_that_is_missing_is_named(operation: FaceOperation) -> None:
    faceless = normal_form(FACELESS["landscape"])
    with pytest.raises(NoFace, match=operation.pictures[-1]):
        ENGINE.run(operation, inputs(operation, faceless))


def test_a_source_without_a_face_is_named() -> None:
    faceless = normal_form(FACELESS["landscape"])
    with pytest.raises(NoFace, match="source_face_path"):
        ENGINE.run(SwapOperation(), [faceless, PORTRAIT])


def test_a_swap_with_one_picture_is_refused() -> None:
    with pytest.raises(EngineFailed, match="source_face_path and target_image_path"):
        ENGINE.run(SwapOperation(), [PORTRAIT])


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (FaceSelectorOrder.LEFT_RIGHT, "small"),
        (FaceSelectorOrder.RIGHT_LEFT, "large"),
        (FaceSelectorOrder.TOP_BOTTOM, "small"),
        (FaceSelectorOrder.BOTTOM_TOP, "large"),
        (FaceSelectorOrder.SMALL_LARGE, "small"),
        (FaceSelectorOrder.LARGE_SMALL, "large"),
    ],
)
def test_faces_are_counted_in_the_order_asked_for(order: FaceSelectorOrder, first: str) -> None:
    faces = ENGINE.run(DetectOperation(face_selector_order=order), [TWO_PEOPLE]).faces
    assert len(faces) == 2
    assert ("small" if faces[0].width < faces[1].width else "large") == first


@pytest.mark.parametrize(
    ("order", "direction"),
    [(FaceSelectorOrder.BEST_WORST, -1), (FaceSelectorOrder.WORST_BEST, 1)],
)
def test_scores_count_for_best_and_worst(order: FaceSelectorOrder, direction: int) -> None:
    faces = ENGINE.run(DetectOperation(face_selector_order=order), [TWO_PEOPLE]).faces
    scores = [direction * face.score for face in faces]
    assert scores == sorted(scores)
    assert scores[0] != scores[1]


@pytest.mark.parametrize(
    ("mode", "order", "small_changes", "large_changes"),
    [
        (FaceSelectorMode.ONE, FaceSelectorOrder.LEFT_RIGHT, True, False),
        (FaceSelectorMode.ONE, FaceSelectorOrder.LARGE_SMALL, False, True),
        (FaceSelectorMode.REFERENCE, FaceSelectorOrder.LEFT_RIGHT, True, False),
        (FaceSelectorMode.MANY, FaceSelectorOrder.LEFT_RIGHT, True, True),
        (FaceSelectorMode.ALL, FaceSelectorOrder.LARGE_SMALL, True, True),
    ],
)
def test_the_mode_selects_the_faces_that_change(
    mode: FaceSelectorMode, order: FaceSelectorOrder, small_changes: bool, large_changes: bool
) -> None:
    operation = EnhanceOperation(face_selector_mode=mode, face_selector_order=order)
    after = changed(operation, TWO_PEOPLE)
    assert (difference(after, TWO_PEOPLE, SMALL_ONE) > 0) == small_changes
    assert (difference(after, TWO_PEOPLE, LARGE_ONE) > 0) == large_changes


def test_without_the_weights_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "FACE_MESH", replace(FACE_MESH, file="data/absent.tflite"))
    with pytest.raises(EngineUnusable, match=r"absent\.tflite .* -r requirements/weights\.txt"):
        PreviewEngine()


def test_it_is_an_engine() -> None:
    engine: Engine = ENGINE
    assert (engine.name, engine.version) == ("preview", "3")
