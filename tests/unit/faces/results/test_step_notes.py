"""What is noted of the picture that a step made."""

from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from storycanvas.faces.measures.landmarks import MeshFinder
from storycanvas.faces.measures.measure import Findings, PictureMeasure
from storycanvas.faces.measures.notes.kinds import DRAWN
from storycanvas.faces.operations import (
    AgeAdjustOperation,
    EnhanceOperation,
    FaceOperation,
    SwapOperation,
)
from storycanvas.faces.pictures.boxes import Box
from storycanvas.faces.results.picture_measure import Comparison
from storycanvas.faces.results.seen_faces import MeasuredPixels, SeenFaces
from storycanvas.faces.results.step_notes import SWAP_NOT_SEEN, step_findings
from tests.support.paths import PORTRAIT


@cache
def portrait() -> Image.Image:
    with Image.open(PORTRAIT) as picture:
        return picture.convert("RGB")


@cache
def finder() -> MeshFinder:
    return MeshFinder()


def faces(picture: Image.Image) -> SeenFaces:
    return MeasuredPixels.of(picture).faces(finder())


def swap(source: SeenFaces, target: SeenFaces, made: SeenFaces) -> Findings:
    comparison = Comparison(lambda: target, lambda: source)
    face = made[0] if made else None
    return step_findings(SwapOperation(), (), comparison, face)


def enhancement(before: SeenFaces, *boxes: Box) -> Findings:
    return step_findings(EnhanceOperation(), boxes, Comparison(lambda: before), None)


def test_a_swap_between_matching_pictures_has_no_note() -> None:
    seen = faces(portrait())

    assert swap(seen, seen, seen) == Findings()


def test_a_swap_from_a_face_lit_from_the_other_side_has_one_note() -> None:
    seen, mirrored = faces(portrait()), faces(ImageOps.mirror(portrait()))

    (note,) = swap(mirrored, seen, seen).notes

    assert note.startswith("The faces are lit from different sides")


def test_a_swap_that_made_a_warm_soft_face_has_a_note_on_each() -> None:
    seen = faces(portrait())
    x, y, width, height = seen[0].box
    soft = portrait().filter(ImageFilter.GaussianBlur(2))
    warm = np.clip(np.asarray(soft) * (1.1, 0.97, 0.72), 0, 255).astype(np.uint8)
    made = portrait().copy()
    made.paste(Image.fromarray(warm).crop((x, y, x + width, y + height)), (x, y))

    colour, sharpness = swap(seen, seen, faces(made)).notes

    assert colour.startswith("The swapped face differs in colour from the skin around it by ")
    assert sharpness.startswith("The swapped face is softer than what is around it: ")


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_swap_of_which_a_face_is_not_found_is_not_compared(missing: int) -> None:
    seen = [faces(portrait())] * 3
    seen[missing] = ()

    assert swap(*seen) == Findings(not_measured=(SWAP_NOT_SEEN,))


def test_a_large_sharp_face_is_noted_before_it_is_enhanced_and_a_small_one_is_not() -> None:
    small = faces(portrait())
    head = portrait().crop((130, 30, 320, 220)).resize((1140, 1140), Image.Resampling.BICUBIC)
    grain = np.random.default_rng(1).normal(0, 12, (1140, 1140, 1))
    rough = np.clip(np.asarray(head) + grain, 0, 255).astype(np.uint8)
    large = faces(Image.fromarray(rough))

    (note,) = enhancement(large, large[0].box).notes

    assert note.startswith("This face is sharp already; enhancing may soften it: ")
    assert enhancement(large).notes == (note,)
    assert enhancement(small, small[0].box) == Findings()


@pytest.mark.parametrize(("side", "notes"), [(256, (DRAWN,)), (255, ())])
def test_a_face_that_the_detector_alone_sees_may_be_drawn_unless_it_is_small(
    side: int, notes: tuple[str, ...]
) -> None:
    assert enhancement((), (10, 10, side, side), (300, 10, side, side)).notes == notes


def test_other_steps_have_no_notes() -> None:
    seen = faces(portrait())
    operation: FaceOperation = AgeAdjustOperation(target_age=50)

    found = step_findings(operation, (seen[0].box,), Comparison(lambda: seen), seen[0])

    assert found == Findings()


def test_findings_are_added_to_what_a_measure_has() -> None:
    measure = PictureMeasure(notes=("one",), not_measured=("age",))

    found = measure.with_findings(Findings(("two",), ("colour",)))

    assert (found.notes, found.not_measured) == (("one", "two"), ("age", "colour"))
    assert found.version == measure.version
