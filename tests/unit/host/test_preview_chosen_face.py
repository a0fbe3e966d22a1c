"""The preview engine works on the face that a request chooses, also where a head lies down."""

import io
from functools import cache

import numpy as np
import pytest
from PIL import Image

from storycanvas.faces.errors import NoFace
from storycanvas.faces.operations import (
    DetectOperation,
    EnhanceOperation,
    FaceOperation,
    SwapOperation,
)
from storycanvas.faces.pictures.reading import Picture, normal_form
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.engines.preview import PreviewEngine
from tests.support.paths import PORTRAIT

HEAD = Image.open(PORTRAIT).convert("RGB").crop((110, 0, 350, 240))
MIRRORED = HEAD.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
SIDE = HEAD.width
ENGINE = PreviewEngine()


@cache
def pair() -> Picture:
    """Two heads side by side, the second as in a mirror and darker."""
    both = Image.new("RGB", (2 * SIDE, SIDE))
    both.paste(HEAD, (0, 0))
    both.paste(MIRRORED.point(lambda value: value * 0.8), (SIDE, 0))
    return normal_form(both)


def pixels(picture: Picture | None) -> np.ndarray:
    assert picture is not None
    return np.array(Image.open(io.BytesIO(picture.png)).convert("RGB"), np.int16)


def changed_halves(operation: FaceOperation, *others: Picture) -> set[str]:
    """Say on which side of the pair an operation changes anything."""
    made = ENGINE.run(operation, [*others, pair()]).picture
    differs = np.abs(pixels(made) - pixels(pair())).max(axis=2) > 2
    sides = {"left": differs[:, :SIDE], "right": differs[:, SIDE:]}
    return {name for name, side in sides.items() if side.any()}


def found(picture: Image.Image, *angles: int) -> EngineResult:
    operation = DetectOperation.model_validate({"face_detector_angles": angles})
    return ENGINE.run(operation, [normal_form(picture)])


@pytest.mark.parametrize(("position", "side"), [(0, "left"), (1, "right")])
def test_a_face_is_worked_on_by_its_place(position: int, side: str) -> None:
    assert changed_halves(EnhanceOperation(face_position=position)) == {side}


@pytest.mark.parametrize("place", [0, 1])
def test_a_face_is_worked_on_by_its_box(place: int) -> None:
    face = ENGINE.run(DetectOperation(), [pair()]).faces[place]
    box = (face.x, face.y, face.width, face.height)

    assert changed_halves(EnhanceOperation(face_box=box)) == {("left", "right")[place]}


@pytest.mark.parametrize(("shown", "side"), [(HEAD, "left"), (MIRRORED, "right")])
def test_a_face_is_worked_on_by_a_reference_picture(shown: Image.Image, side: str) -> None:
    assert changed_halves(EnhanceOperation(), normal_form(shown)) == {side}


def test_a_detection_tells_how_far_each_face_is_from_the_reference_picture() -> None:
    operation = DetectOperation(reference_face_distance=1)

    faces = ENGINE.run(operation, [normal_form(HEAD), pair()]).faces

    left, right = (face.reference_distance or 0.0 for face in faces)
    assert left < 0.05 < right <= 1


def test_a_swap_takes_a_reference_picture_before_its_own() -> None:
    assert changed_halves(SwapOperation(), normal_form(MIRRORED), normal_form(HEAD)) == {"right"}


@pytest.mark.parametrize(
    ("fields", "others"),
    [
        ({"face_position": 2}, ()),
        ({"face_box": (0, 0, 9, 9)}, ()),
        ({}, (normal_form(Image.new("RGB", (90, 90))),)),
    ],
    ids=["position", "box", "reference"],
)
def test_fewer_faces_than_asked_for_is_no_face(
    fields: dict[str, object], others: tuple[Picture, ...]
) -> None:
    with pytest.raises(NoFace):
        ENGINE.run(EnhanceOperation.model_validate(fields), [*others, pair()])


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_head_that_lies_is_found_at_its_angle_and_where_it_is(angle: int) -> None:
    lying = HEAD.rotate(-angle, expand=True)
    [upright] = found(HEAD, 0).faces

    assert found(lying, 0).faces == ()
    [face] = found(lying, 0, angle).faces

    left, top = upright.x, upright.y
    right, bottom = SIDE - left - upright.width, SIDE - top - upright.height
    corner = {90: (bottom, left), 180: (right, bottom), 270: (top, right)}[angle]
    assert (face.x, face.y) == pytest.approx(corner, abs=2)
    assert face.estimated_age == pytest.approx(upright.estimated_age, rel=0.2)


def test_a_face_that_is_seen_at_several_angles_is_one_face() -> None:
    assert len(found(HEAD, 0, 0).faces) == 1


def test_a_lying_head_is_enhanced_like_an_upright_one() -> None:
    operation = EnhanceOperation(face_detector_angles=(90,))
    lying = normal_form(HEAD.rotate(-90, expand=True))
    upright = pixels(ENGINE.run(EnhanceOperation(), [normal_form(HEAD)]).picture)

    turned = np.rot90(pixels(ENGINE.run(operation, [lying]).picture))

    assert np.abs(turned - upright).mean() < 2


def test_a_swapped_face_is_finer_on_a_larger_grid() -> None:
    target = normal_form(HEAD.resize((4 * SIDE, 4 * SIDE), Image.Resampling.BICUBIC))

    def detail(boost: str) -> float:
        swap = SwapOperation(face_swapper_pixel_boost=boost)
        made = pixels(ENGINE.run(swap, [target, target]).picture)[300:700, 260:700]
        return float(np.abs(np.diff(made, axis=1)).mean())

    assert detail("128x128") < detail("256x256") < detail("1024x1024")
