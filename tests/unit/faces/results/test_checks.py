"""What the measures of a picture say against it, with the numbers."""

from typing import Any

import pytest

from storycanvas.faces.measures.measure import FaceMeasure, Likeness, PictureMeasure
from storycanvas.faces.results.checks import Bounds, HeldBound, Verdict, check_measure

FACE = FaceMeasure(box=(0, 0, 90, 100), fit=1.0, yaw=0.0, pitch=0.0, roll=0.0, age=33.0)


def likeness(**fields: Any) -> Likeness:
    return Likeness(**{"scale": "dlib", **fields})


def verdict(found: Likeness | None, bounds: Bounds | None = None) -> Verdict:
    measure = PictureMeasure(faces=(FACE,), chosen=0, likeness=found)
    return check_measure(measure, bounds or Bounds())


SWAP, EDIT = {"compared_with": "source"}, {"compared_with": "input"}

WRONG = {
    "a swap that was silently skipped": (
        SWAP | {"before": 0.74, "after": 0.74},
        ["did not bring the face nearer to the source: 0.74 apart before, 0.74 after"],
    ),
    "a swap onto the wrong person": (
        SWAP | {"before": 0.74, "after": 0.75, "others": 0.71},
        ["did not bring the face nearer", "A face that was not chosen was changed: it is 0.71"],
    ),
    "an edit that changes the person": (
        EDIT | {"after": 0.72},
        ["shows another person than before: 0.72 apart, and below 0.60"],
    ),
    "a good edit that reached the face beside it": (
        EDIT | {"after": 0.2, "others": 0.7},
        ["was not chosen was changed"],
    ),
}


@pytest.mark.parametrize(("fields", "sentences"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_a_sentence_with_its_numbers(
    fields: dict[str, Any], sentences: list[str]
) -> None:
    found = verdict(likeness(**fields))

    assert len(found.failures) == len(sentences)
    assert all(part in text for part, text in zip(sentences, found.failures, strict=True))


FINE = {
    "a good swap": SWAP | {"before": 0.74, "after": 0.41},
    "a swap that came nearer without coming near": SWAP | {"before": 0.9, "after": 0.65},
    "a swap of which only the end is known": SWAP | {"after": 0.75},
    "a good edit": EDIT | {"after": 0.35},
    "faces beside it that were only stored anew": EDIT | {"after": 0.2, "others": 0.05},
}


@pytest.mark.parametrize("fields", FINE.values(), ids=FINE)
def test_what_is_fine_is_not_mentioned(fields: dict[str, Any]) -> None:
    assert verdict(likeness(**fields)) == Verdict(bound=HeldBound(0.6, "usual"))


def test_what_is_not_measured_is_not_checked() -> None:
    assert verdict(None) == Verdict()
    assert check_measure(PictureMeasure(), Bounds()) == Verdict()


def test_of_two_faces_that_look_alike_it_is_said_that_a_swap_cannot_be_told() -> None:
    found = verdict(likeness(**SWAP, before=0.2, after=0.21))

    assert found.failures == ()
    assert "look alike already (0.20 apart)" in found.notes[0]


def test_a_note_is_no_failure() -> None:
    measure = PictureMeasure(faces=(FACE,), chosen=0, notes=("This may be drawn.",))

    assert check_measure(measure, Bounds()).failures == ()


def test_a_picture_without_a_face_is_wrong() -> None:
    found = check_measure(PictureMeasure(faces=()), Bounds())

    assert found.failures == ("No face is left in the picture.",)


BOUNDS = [
    (Bounds(), 0.6),
    (Bounds(of_character={"dlib": 0.47}), 0.47),
    (Bounds(of_character={"facefusion": 0.2}), 0.6),
    (Bounds(same_below=0.9, of_character={"dlib": 0.47}), 0.9),
]


@pytest.mark.parametrize(("bounds", "same_below"), BOUNDS)
def test_a_setting_is_stronger_than_the_character_and_that_than_the_scale(
    bounds: Bounds, same_below: float
) -> None:
    below = likeness(**EDIT, after=same_below - 0.01)
    above = likeness(**EDIT, after=same_below)

    assert verdict(below, bounds).failures == ()
    assert f"below {same_below:.2f}" in verdict(above, bounds).failures[0]


def test_the_bound_of_a_character_is_not_that_of_the_person_beside_it() -> None:
    bounds = Bounds(of_character={"dlib": 0.3})

    assert verdict(likeness(**EDIT, after=0.2, others=0.5), bounds).failures == ()
    assert len(verdict(likeness(**EDIT, after=0.2, others=0.61), bounds).failures) == 1


@pytest.mark.parametrize(("gain", "failures"), [(0.02, 0), (0.05, 1)])
def test_how_much_nearer_a_swap_must_come_is_a_setting(gain: float, failures: int) -> None:
    found = verdict(likeness(**SWAP, before=0.74, after=0.71), Bounds(least_gain=gain))

    assert len(found.failures) == failures
