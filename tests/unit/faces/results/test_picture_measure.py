"""What is measured of made pictures by the real networks, and what is told instead."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image

from storycanvas.faces.measures.measure import Bytes, Likeness, PictureMeasure
from storycanvas.faces.pictures.boxes import Box
from storycanvas.faces.results.checks import Bounds, check_measure
from storycanvas.faces.results.meters import Meters, installed_meters
from storycanvas.faces.results.picture_measure import (
    NO_FACE_BEFORE,
    NOT_BEFORE,
    Comparison,
    measure_picture,
    unmeasured,
)
from storycanvas.faces.results.seen_faces import MeasuredPixels, SeenFaces
from tests.support.portraits import FACE_CENTRE, drawing, portrait, reshaped, resized


@cache
def meters() -> Meters:
    """Without likeness, which is an extra."""
    return replace(installed_meters(), likeness=None)


def faces_of(rgb: Bytes) -> SeenFaces:
    finder = meters().landmarks
    assert finder is not None
    return MeasuredPixels.of(Image.fromarray(rgb)).faces(finder)


def measured(
    after: Bytes,
    before: Bytes | None = None,
    selected: Sequence[Box] = (),
    known: Likeness | None = None,
) -> PictureMeasure:
    """Measure a picture that was made of another one, by default of the portrait."""
    comparison = Comparison(lambda: faces_of(portrait() if before is None else before))
    return measure_picture(faces_of(after), selected, comparison, meters(), known)


def failures(measure: PictureMeasure) -> tuple[str, ...]:
    return check_measure(measure, Bounds()).failures


def in_face(column: float, row: float) -> tuple[int, int]:
    """A place in the portrait, by shares of 50 pixels from the middle of its face."""
    return round(FACE_CENTRE[0] + 50 * column), round(FACE_CENTRE[1] + 50 * row)


def masked(colour: tuple[int, int, int]) -> Bytes:
    """Put a mask over nose, mouth and chin of the portrait."""
    outline = [(-1.1, 0.1), (0, -0.05), (1.1, 0.1), (0.9, 0.95), (0, 1.3), (-0.9, 0.95)]
    rgb = portrait().copy()
    cv2.fillPoly(rgb, [np.array([in_face(*place) for place in outline])], colour)
    return rgb


def coloured_drawing() -> Bytes:
    """A drawing whose paper is the colour of skin, which landmarks fit."""
    rgb = drawing()
    filled = rgb.copy()
    cv2.ellipse(filled, (256, 256), (110, 150), 0, 0, 360, (240, 200, 170), -1)
    return np.where(rgb == 255, filled, rgb)


def plain() -> Bytes:
    return np.full((512, 512, 3), 128, np.uint8)


def two_faces() -> Bytes:
    head = portrait()[20:260, 110:340]
    return np.concatenate([head, resized(head, 1)[:, ::-1]], axis=1)


def test_age_and_pose_of_the_portrait_are_read_without_a_doubt() -> None:
    found = measured(portrait())

    assert found.faces is not None
    assert found.chosen == 0
    assert found.faces[0].age is not None
    assert 20 < found.faces[0].age < 50
    assert [text for text in found.not_measured if "likeness" not in text] == []
    assert failures(found) == ()


def test_an_empty_result_has_no_face_left() -> None:
    found = measured(plain())

    assert found.faces == ()
    assert failures(found) == ("No face is left in the picture.",)


def test_a_picture_in_which_no_face_was_seen_before_is_not_measured_rather_than_wrong() -> None:
    found = measured(plain(), before=plain())

    assert found.faces is None
    assert found.not_measured == (NO_FACE_BEFORE,)
    assert failures(found) == ()


UNSURE = {
    "a face of 40 pixels": (lambda: resized(portrait(), 40 / 96), "and 48 are the least"),
    "a drawing that landmarks fit": (coloured_drawing, "may be drawn"),
    "a mask of blue paper": (lambda: masked((120, 170, 220)), "seems to cover the face"),
    "a white mask": (lambda: masked((235, 238, 240)), "seems to cover the face"),
    "a black mask": (lambda: masked((12, 12, 14)), "seems to cover the face"),
}


@pytest.mark.parametrize("case", UNSURE)
def test_no_age_is_read_of_a_face_that_would_be_guessed_at(case: str) -> None:
    make, reason = UNSURE[case]
    found = measured(make(), before=make())

    assert found.faces is not None
    assert len(found.faces) == 1
    assert found.faces[0].age is None
    assert reason in found.not_measured[0]
    assert failures(found) == ()


def test_the_chosen_face_is_the_one_that_the_step_worked_on() -> None:
    rgb = two_faces()
    boxes = [face.box for face in faces_of(rgb)]
    assert len(boxes) == 2

    assert [measured(rgb, rgb, [box]).chosen for box in boxes] == [0, 1]
    assert measured(rgb, rgb).chosen is None


def test_boxes_are_those_of_the_picture_though_it_is_measured_smaller() -> None:
    large = resized(portrait(), 5)  # 2560 pixels, measured at 1280
    (small,), (found,) = faces_of(portrait()), faces_of(large)

    assert found.box == pytest.approx([5 * value for value in small.box], abs=15)


def test_the_likeness_that_a_host_measured_is_kept() -> None:
    known = Likeness(compared_with="input", after=0.12, scale="facefusion")

    assert measured(portrait(), known=known).likeness == known
    assert unmeasured(Meters(), known).likeness == known


def test_what_no_meter_measures_is_told_with_the_remedy() -> None:
    lacking = Meters(missing={"landmarks": "the weights are not installed: do install them"})

    assert unmeasured(lacking).not_measured == (
        "The faces were not measured: the weights are not installed: do install them.",
    )


@pytest.fixture
def likeness_meters() -> Meters:
    found = installed_meters()
    if found.likeness is None:
        pytest.skip(found.missing["likeness"])
    return found


def test_another_person_after_an_edit_is_found_by_the_recogniser(likeness_meters: Meters) -> None:
    def edited(after: Bytes) -> PictureMeasure:
        comparison = Comparison(lambda: faces_of(portrait()))
        return measure_picture(faces_of(after), (), comparison, likeness_meters)

    same, other = edited(resized(portrait(), 1.5)), edited(reshaped(portrait(), 1))
    assert failures(same) == ()
    assert "shows another person" in failures(other)[0]


def test_a_swap_is_measured_to_its_source_before_and_after(likeness_meters: Meters) -> None:
    source, target = portrait(), reshaped(portrait(), 1)

    def swapped(after: Bytes) -> PictureMeasure:
        comparison = Comparison(lambda: faces_of(target), lambda: faces_of(source))
        return measure_picture(faces_of(after), (), comparison, likeness_meters)

    done, skipped = swapped(source), swapped(target)
    assert done.likeness is not None
    assert done.likeness.before is not None
    assert done.likeness.after < done.likeness.before
    assert failures(done) == ()
    assert "did not bring the face nearer" in failures(skipped)[0]


def beside(left: Bytes, right: Bytes) -> Bytes:
    return np.concatenate([left[20:260, 110:340], right[20:260, 110:340]], axis=1)


def test_a_swap_onto_the_wrong_person_is_told_by_both_faces(likeness_meters: Meters) -> None:
    source, target, other = portrait(), *(reshaped(portrait(), way) for way in (1, -0.3))
    before = beside(target, other)
    left, right = sorted(face.box for face in faces_of(before))

    def swapped(after: Bytes, chosen: Box) -> tuple[str, ...]:
        comparison = Comparison(lambda: faces_of(before), lambda: faces_of(source))
        return failures(measure_picture(faces_of(after), [chosen], comparison, likeness_meters))

    assert swapped(beside(source, other), left) == ()
    skipped, changed = swapped(beside(source, other), right)
    assert "did not bring the face nearer" in skipped
    assert "A face that was not chosen was changed" in changed


LIST_OF_NUMBERS = re.compile(r"\[[-+\d.,e\s]+\]")
BOX = 4


def test_of_what_a_recogniser_says_of_a_face_only_distances_are_left(
    likeness_meters: Meters, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    comparison = Comparison(lambda: faces_of(portrait()))
    found = measure_picture(faces_of(reshaped(portrait(), 1)), (), comparison, likeness_meters)

    assert found.likeness is not None
    kept = found.model_dump_json()
    assert max(map(numbers_in, LIST_OF_NUMBERS.findall(kept))) == BOX
    assert [each for each in caplog.records if each.name.startswith("storycanvas")] == []


def numbers_in(listed: str) -> int:
    return listed.count(",") + 1


def test_a_source_without_a_face_leaves_likeness_unmeasured(likeness_meters: Meters) -> None:
    comparison = Comparison(lambda: faces_of(portrait()), lambda: faces_of(plain()))
    found = measure_picture(faces_of(portrait()), (), comparison, likeness_meters)

    assert found.likeness is None
    assert NOT_BEFORE in found.not_measured
