"""Which face of a picture is worked on: by place, by box, by likeness; fewer than asked is told."""

import pytest

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import NoFace
from storycanvas.faces.operations import (
    DetectOperation,
    EnhanceOperation,
    FaceOperation,
    FaceSelectorMode,
    SwapOperation,
)
from storycanvas.faces.pictures.boxes import overlap
from storycanvas.host.engines.choosing import choose, note_on_smaller

FACES = [
    DetectedFace(x=10, y=100, width=60, height=60),
    DetectedFace(x=200, y=50, width=420, height=420),
    DetectedFace(x=700, y=100, width=80, height=80),
]
SELECTORS = FaceSelectorMode


def chosen(like: list[bool] | None = None, **fields: object) -> tuple[int, ...]:
    operation = EnhanceOperation.model_validate(fields)
    return choose(operation, FACES, like, lambda place: (place, 2))


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        ({}, (0,)),
        ({"face_position": 2}, (2,)),
        ({"face_box": (210, 60, 400, 400)}, (1,)),
        ({"face_box": (690, 95, 90, 90)}, (2,)),
        ({"face_selector_mode": "many"}, (0, 1, 2)),
        ({"face_selector_mode": "all"}, (0, 1, 2)),
        ({"face_selector_mode": "reference"}, (0, 2)),
        ({"face_selector_mode": "reference", "face_position": 1}, (1, 2)),
        ({"face_selector_mode": "reference", "face_box": (200, 50, 420, 420)}, (1, 2)),
    ],
    ids=str,
)
def test_a_face_is_chosen_by_its_place_or_its_box(
    fields: dict[str, object], places: tuple[int, ...]
) -> None:
    assert chosen(**fields) == places


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        ({}, (1,)),
        ({"face_position": 1}, (2,)),
        ({"face_box": (690, 95, 90, 90)}, (2,)),
        ({"face_selector_mode": "many"}, (1, 2)),
        ({"face_selector_mode": "reference"}, (1, 2)),
    ],
    ids=str,
)
def test_a_reference_picture_leaves_the_faces_that_are_like_it(
    fields: dict[str, object], places: tuple[int, ...]
) -> None:
    assert chosen([False, True, True], **fields) == places


@pytest.mark.parametrize(
    ("fields", "like", "told"),
    [
        ({"face_position": 3}, None, "face_position 3 is behind the last of the 3 faces"),
        ({"face_position": 2}, [True, False, True], "the last of the 2 faces"),
        ({"face_box": (0, 0, 5, 5)}, None, "the nearest has the box"),
        ({"face_box": (200, 50, 420, 420)}, [True, False, True], "No face of source_path overlaps"),
        ({}, [False, False, False], "looks like the first face of reference_image within"),
        ({"face_selector_mode": "many"}, [False] * 3, "reference_face_distance of 0.3"),
    ],
    ids=str,
)
def test_fewer_faces_than_asked_for_is_no_face(
    fields: dict[str, object], like: list[bool] | None, told: str
) -> None:
    with pytest.raises(NoFace, match=told):
        chosen(like, **fields)


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 10, 10), 1 / 3),
        ((0, 0, 10, 10), (10, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (40, 40, 1, 1), 0.0),
    ],
)
def test_boxes_overlap_by_their_common_share(
    first: tuple[int, int, int, int], second: tuple[int, int, int, int], share: float
) -> None:
    assert overlap(first, second) == pytest.approx(share)


def test_a_bystander_that_was_worked_on_is_told_with_both_sizes() -> None:
    note = note_on_smaller(FACES, (0,))

    assert note is not None
    assert "60 x 60 pixels at 10, 100" in note
    assert "420 x 420 at 200, 50" in note


@pytest.mark.parametrize("places", [(1,), (0, 1, 2), ()])
def test_the_largest_face_or_all_of_them_need_no_note(places: tuple[int, ...]) -> None:
    assert note_on_smaller(FACES, places) is None


@pytest.mark.parametrize(
    ("operation", "fields", "told"),
    [
        (DetectOperation, {"face_position": 64}, "less than or equal to 63"),
        (DetectOperation, {"face_position": 1, "face_box": (0, 0, 1, 1)}, "leave one of them out"),
        (DetectOperation, {"face_position": 1, "face_selector_mode": "many"}, "take the mode one"),
        (DetectOperation, {"face_box": (0, 0, 0, 1)}, "greater than or equal to 1"),
        (DetectOperation, {"face_detector_angles": (45,)}, "Input should be 0, 90, 180 or 270"),
        (DetectOperation, {"reference_face_distance": 0}, "greater than or equal to 0.05"),
        (
            SwapOperation,
            {"face_swapper_model": "simswap_256", "face_swapper_pixel_boost": "128x128"},
            "128x128 is not one of 256x256, 512x512, 768x768, 1024x1024",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_chosen_is_refused_with_what_can(
    operation: type[FaceOperation], fields: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        operation.model_validate(fields)


@pytest.mark.parametrize("by_alias", [False, True])
def test_added_parameters_are_stored_and_sent_only_where_they_say_something(by_alias: bool) -> None:
    added = {"face_position", "face_box", "reference_face_distance", "face_detector_angles"}
    added |= {"face_swapper_pixel_boost", "within_box"}
    plain = SwapOperation(face_swapper_pixel_boost=None, face_position=0)
    told = SwapOperation.model_validate(
        {"face_box": (1, 2, 3, 4), "face_swapper_pixel_boost": "512x512"}
    )

    assert added & {*plain.model_dump(by_alias=by_alias)} == set()
    dumped = told.model_dump(mode="json", by_alias=by_alias)
    assert dumped["face_box"] == [1, 2, 3, 4]
    assert dumped["face_swapper_pixel_boost"] == "512x512"
    assert SwapOperation.model_validate(dumped) == told
