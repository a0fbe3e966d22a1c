"""A swap within the box: outside of it, widened by 15 %, every pixel stays."""

import io

import numpy as np
import pytest
from PIL import Image

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.operations import EnhanceOperation, FaceOperation, SwapOperation
from storycanvas.faces.pictures.boxes import Box, box_of, widened
from storycanvas.faces.pictures.reading import Picture, read_picture
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.engines.preview import PreviewEngine
from storycanvas.host.engines.within_boxes import ROOM, kept_outside
from tests.support.flows.couples import BESIDE, changed_outside, template, wife

SIZE = (200, 120)
WITHIN = SwapOperation(within_box=True)
FACES = {
    "inside": DetectedFace(x=40, y=30, width=60, height=40),
    "at the corner": DetectedFace(x=0, y=0, width=50, height=50),
    "at the other corner": DetectedFace(x=150, y=70, width=50, height=50),
    "tiny": DetectedFace(x=100, y=60, width=2, height=2),
}


def plain(colour: tuple[int, ...], mode: str = "RGB") -> Picture:
    return Picture.of_image(Image.new(mode, SIZE, colour))


def kept(
    operation: FaceOperation, *faces: DetectedFace, chosen: tuple[int, ...] = (0,)
) -> Image.Image:
    result = EngineResult(plain((200, 200, 200)), faces, None, chosen=chosen)
    picture = kept_outside(operation, result, plain((10, 10, 10))).picture
    assert picture is not None
    return picture.image


def changed(image: Image.Image) -> Box | None:
    found = Image.fromarray((np.asarray(image) != 10).any(axis=2)).getbbox()
    return found and (found[0], found[1], found[2] - found[0], found[3] - found[1])


@pytest.mark.parametrize("face", FACES.values(), ids=FACES)
def test_all_of_the_box_is_new_and_what_lies_outside_of_the_room_is_old(face: DetectedFace) -> None:
    image = kept(WITHIN, face)

    x, y, width, height = box_of(face)
    assert (np.asarray(image.crop((x, y, x + width, y + height))) == 200).all()
    assert changed(image) == widened(box_of(face), ROOM, SIZE)


def test_the_result_fades_between_the_box_and_its_room() -> None:
    row = np.asarray(kept(WITHIN, FACES["inside"]))[50, :41, 0].astype(int)

    assert (np.diff(row) >= 0).all()
    assert len(set(row[31:41])) == 10


def test_only_chosen_faces_are_new() -> None:
    image = kept(WITHIN, FACES["at the corner"], FACES["inside"], chosen=(1,))

    assert changed(image) == widened(box_of(FACES["inside"]), ROOM, SIZE)


def test_a_named_box_counts_more_than_that_of_its_face() -> None:
    named = (42, 32, 40, 30)

    image = kept(SwapOperation(within_box=True, face_box=named), FACES["inside"])

    assert changed(image) == widened(named, ROOM, SIZE)


@pytest.mark.parametrize("operation", [SwapOperation(), EnhanceOperation()], ids=str)
def test_an_operation_that_does_not_ask_for_it_keeps_nothing(operation: FaceOperation) -> None:
    assert changed(kept(operation, FACES["inside"])) == (0, 0, *SIZE)


def test_alpha_profile_and_notes_stay() -> None:
    made = Image.new("RGBA", SIZE, (200, 200, 200, 120))
    made.info = {"icc_profile": b"a profile"}
    result = EngineResult(Picture.of_image(made), (FACES["inside"],), None, chosen=(0,))
    assert result.picture is not None
    result.picture.notes = ("It has a note.",)

    picture = kept_outside(WITHIN, result, plain((10, 10, 10, 120), "RGBA")).picture

    assert picture is not None
    assert picture.notes == ("It has a note.",)
    assert picture.image.info == {"icc_profile": b"a profile"}
    assert set(np.asarray(picture.image)[..., 3].ravel()) == {120}


def test_the_preview_engine_s_own_swap_stays_within_the_room_anyway() -> None:
    engine, scene = PreviewEngine(), template(BESIDE)
    target, source = (_read(image) for image in (scene, wife()))
    face = engine.run(SwapOperation(), [source, target]).faces[0]

    free = engine.run(SwapOperation(face_box=box_of(face)), [source, target])

    assert free.picture is not None
    assert free.picture.sha256 != target.sha256
    assert changed_outside(scene, free.picture.image, box_of(face), ROOM) == 0


def test_the_preview_engine_keeps_what_lies_outside_of_a_box_within_the_face() -> None:
    engine, scene = PreviewEngine(), template(BESIDE)
    target, source = (_read(image) for image in (scene, wife()))
    x, y, width, height = box_of(engine.run(SwapOperation(), [source, target]).faces[0])
    named = (x + width // 6, y + height // 6, 2 * width // 3, 2 * height // 3)

    swapped = engine.run(SwapOperation(face_box=named, within_box=True), [source, target])

    assert swapped.picture is not None
    assert swapped.picture.sha256 != target.sha256
    assert changed_outside(scene, swapped.picture.image, named, ROOM) == 0


def _read(image: Image.Image) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return read_picture(buffer.getvalue(), "made")
