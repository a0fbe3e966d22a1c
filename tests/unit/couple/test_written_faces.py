"""The faces of a template, in every form in which documents write them."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storycanvas.couple.found_faces import matched
from storycanvas.couple.written_faces import FaceData, Gender, Person, face_data, read_faces
from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import BadField

SIZE = (400, 200)
LEFT = DetectedFace(x=40, y=60, width=80, height=100, score=0.8)
RIGHT = DetectedFace(x=240, y=40, width=100, height=120, score=0.9)
CORNERS = ([40, 60, 120, 160], [240, 40, 340, 160])
SIZES = ([40, 60, 80, 100], [240, 40, 100, 120])
SIDES = ("left", "top", "right", "bottom")
NAMES = ("x", "y", "width", "height")


def named(names: tuple[str, ...], boxes: tuple[list[int], ...]) -> list[dict[str, Any]]:
    return [dict(zip(names, box, strict=True)) for box in boxes]


def shares(boxes: tuple[list[int], ...]) -> list[list[float]]:
    return [[edge / SIZE[at % 2] for at, edge in enumerate(box)] for box in boxes]


FORMS: dict[str, list[Any]] = {
    "corners": [{"bbox": box} for box in CORNERS],
    "corners without a name": list(CORNERS),
    "left, top, width and height": list(SIZES),
    "named size": named(NAMES, SIZES),
    "named sides": named(SIDES, CORNERS),
    "a box with names": [{"box": box} for box in named(NAMES, SIZES)],
    "a box of numbers": [{"box": box} for box in SIZES],
    "bbox of a size": [{"bbox": box} for box in SIZES],
    "corners as shares": shares(CORNERS),
    "size as shares": shares(SIZES),
    "named sides as shares": named(SIDES, tuple(shares(CORNERS))),  # type: ignore[arg-type]
    "a little beside": [[46, 66, 122, 158], [230, 30, 335, 170]],
    "tuples and floats": [(40.4, 60.2, 120.1, 159.9), (240.0, 40.0, 340.5, 160.0)],
}


@pytest.mark.parametrize("written", FORMS.values(), ids=FORMS)
def test_a_box_is_found_among_the_detected_faces(written: list[Any]) -> None:
    found = matched(read_faces(written, "face_data"), [RIGHT, LEFT], SIZE)

    assert found == {0: LEFT, 1: RIGHT}


@pytest.mark.parametrize("written", FORMS.values(), ids=FORMS)
def test_one_box_alone_is_found_too(written: list[Any]) -> None:
    assert matched(read_faces(written[1:], "face_data"), [LEFT, RIGHT], SIZE) == {0: RIGHT}


NOWHERE: dict[str, Any] = {
    "far from any face": [[150, 0, 190, 40]],
    "too little in common": [{"x": 40, "y": 60, "width": 23, "height": 100}],
    "no numbers": [["a", 1, 2, 3]],
    "three numbers": [[1, 2, 3]],
    "negative size": [[120, 160, 40, 60]],
    "not a number": [[math.nan, 60, 120, 160]],
    "infinite": [[40, 60, math.inf, 160]],
    "booleans": [[False, False, True, True]],
    "a text": ["40 60 120 160"],
    "a mapping without a box": [{"gender": 1}],
    "nothing": [None],
}


@pytest.mark.parametrize("written", NOWHERE.values(), ids=NOWHERE)
def test_a_box_that_no_face_fits_is_not_guessed(written: list[Any]) -> None:
    assert matched(read_faces(written, "face_data"), [LEFT, RIGHT], SIZE) == {}


def test_two_boxes_of_one_face_are_not_two_faces() -> None:
    twice = read_faces([CORNERS[0], CORNERS[0]], "face_data")

    assert matched(twice, [LEFT, RIGHT], SIZE) == {0: LEFT}


def test_the_form_is_that_in_which_all_boxes_fit_best() -> None:
    near = [DetectedFace(x=x, y=20, width=40, height=40) for x in (20, 62, 104)]
    sizes = read_faces([[20, 20, 40, 40], [62, 20, 40, 40], [104, 20, 40, 40]], "face_data")

    assert matched(sizes, near, SIZE) == dict(enumerate(near))


GENDERS = [(1, Gender.MALE), ("male", Gender.MALE), (0, Gender.FEMALE), ("female", Gender.FEMALE)]


@pytest.mark.parametrize(
    ("written", "read"), [*GENDERS, ("unknown", None), (None, None), (2, None), ([], None)], ids=str
)
def test_a_gender_is_a_number_or_a_word(written: object, read: Gender | None) -> None:
    (face,) = read_faces([{"bbox": CORNERS[0], "gender": written}], "face_data")

    assert face.gender is read


def test_a_role_is_read_and_an_index_is_the_place_unless_it_is_written() -> None:
    faces = read_faces([{"bbox": CORNERS[0]}, {"index": 7, "role": "wife"}], "face_positions")

    assert [face.index for face in faces] == [0, 7]
    assert [face.role for face in faces] == [None, Person.WIFE]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"0": [1, 2, 3, 4]}, "face_data is no list"),
        ("[[1, 2, 3, 4]]", "face_data is no list"),
        ([{"index": -1}], "The index -1"),
        ([{"index": "1"}], "The index '1'"),
        ([{"index": True}], "The index True"),
        ([{"index": 1}, {"index": 1}], "an index twice"),
        ([{"index": 1}, {}], "an index twice"),
    ],
    ids=str,
)
def test_what_is_no_list_of_faces_is_refused(written: object, told: str) -> None:
    with pytest.raises(BadField, match=told):
        read_faces(written, "face_data")


ASKED = datetime(2026, 3, 1, tzinfo=UTC)
EARLIER, LATER = ASKED - timedelta(days=1), ASKED + timedelta(days=1)
OLD, NEW = [CORNERS[0]], [CORNERS[0], CORNERS[1]]
SOURCES: dict[str, tuple[dict[str, Any] | None, int, bool]] = {
    "without preprocessing": (None, 1, True),
    "waiting": ({"preprocessing_status": "pending", "face_data": NEW}, 1, True),
    "failed": ({"preprocessing_status": "failed", "face_data": []}, 1, True),
    "completed": ({"preprocessing_status": "completed", "face_data": NEW}, 2, True),
    "before": (
        {"preprocessing_status": "completed", "face_data": NEW, "processed_at": EARLIER},
        2,
        True,
    ),
    "after": (
        {"preprocessing_status": "completed", "face_data": NEW, "processed_at": LATER},
        2,
        False,
    ),
    "after, without a zone": (
        {
            "preprocessing_status": "completed",
            "face_data": NEW,
            "processed_at": LATER.replace(tzinfo=None),
        },
        2,
        False,
    ),
}


@pytest.mark.parametrize(("found", "count", "numbered"), SOURCES.values(), ids=SOURCES)
def test_the_app_s_later_version_is_stronger_once_it_is_completed(
    found: dict[str, Any] | None, count: int, numbered: bool
) -> None:
    data = face_data(OLD, found, ASKED)

    assert (len(data.faces), data.numbers_faces) == (count, numbered)


@pytest.mark.parametrize("written", [None, []])
def test_no_faces_are_no_face_data(written: object) -> None:
    assert face_data(written) == FaceData()
