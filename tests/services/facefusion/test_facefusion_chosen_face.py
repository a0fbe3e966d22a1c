"""The face that a request chooses by place, box or reference picture is the one worked on."""

from collections.abc import Callable

import pytest

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import NoFace
from storycanvas.faces.operations import (
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhanceOperation,
    FaceOperation,
    FaceSelectorMode,
    MaskOperation,
    SwapOperation,
)
from storycanvas.faces.pictures.boxes import widened
from storycanvas.faces.plan import PlanPicture
from storycanvas.faces.recipes.finding import compare_pictures
from tests.support.facefusion.driven_host import Done, DrivenHost
from tests.support.facefusion.made_pictures import (
    BLUE,
    LEFT,
    RED,
    RIGHT,
    WIDE,
    Colour,
    around,
    changed_box,
    halves,
    opened,
    plain,
)

DARK, LIGHT = (60, 60, 60), (180, 180, 180)
UNLIKE = halves(DARK, LIGHT)
COLOURS = halves(RED, BLUE)
CHANGES: dict[str, tuple[Callable[..., FaceOperation], tuple[bytes, ...]]] = {
    "enhance": (EnhanceOperation, ()),
    "age": (lambda **choice: AgeAdjustOperation(target_age=90, **choice), ()),
    "swap": (SwapOperation, (plain(BLUE),)),
    "edit": (lambda **choice: EditOperation(face_editor_head_yaw=90, **choice), ()),
}


def changed(done: Done, before: bytes) -> set[float]:
    """Return which of two faces have other colours."""
    was, now = opened(before), done.picture
    places = (LEFT, RIGHT)
    return {
        place
        for place in places
        if any(abs(a - b) > 3 for a, b in zip(around(was, place), around(now, place), strict=True))
    }


def box_of(face: DetectedFace) -> tuple[int, int, int, int]:
    return face.x, face.y, face.width, face.height


def boxes(host: DrivenHost, picture: bytes) -> list[tuple[int, int, int, int]]:
    answer = host.done(DetectOperation(), picture).answer
    return [box_of(face) for face in answer.faces or ()]


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(("position", "face"), [(0, LEFT), (1, RIGHT)])
def test_a_face_is_worked_on_by_its_place(
    resident_host: DrivenHost, name: str, position: int, face: float
) -> None:
    operation, others = CHANGES[name]

    done = resident_host.done(operation(face_position=position), *others, UNLIKE)

    assert changed(done, UNLIKE) == {face}
    assert [box_of(found) for found in done.answer.selected_faces] == [
        boxes(resident_host, UNLIKE)[position]
    ]


@pytest.mark.parametrize("name", CHANGES)
def test_a_face_is_worked_on_by_its_box(resident_host: DrivenHost, name: str) -> None:
    operation, others = CHANGES[name]
    x, y, width, height = boxes(resident_host, UNLIKE)[1]

    done = resident_host.done(operation(face_box=(x + 3, y - 3, width, height)), *others, UNLIKE)

    assert changed(done, UNLIKE) == {RIGHT}


@pytest.mark.parametrize("place", [0, 1])
def test_a_swap_within_the_box_keeps_every_pixel_outside_of_it(
    resident_host: DrivenHost, place: int
) -> None:
    box = boxes(resident_host, UNLIKE)[place]
    x, y, width, height = widened(box, 0.15, WIDE)

    free = resident_host.done(SwapOperation(face_box=box), plain(BLUE), UNLIKE)
    kept = resident_host.done(SwapOperation(face_box=box, within_box=True), plain(BLUE), UNLIKE)

    left, top, right, bottom = changed_box(UNLIKE, kept.picture) or (0, 0, 0, 0)
    assert x <= left < right <= x + width
    assert y <= top < bottom <= y + height
    assert changed(kept, UNLIKE) == {(LEFT, RIGHT)[place]}
    assert around(kept.picture, (LEFT, RIGHT)[place]) == around(free.picture, (LEFT, RIGHT)[place])


@pytest.mark.parametrize("name", ["enhance", "edit"])
@pytest.mark.parametrize(("colour", "face"), [(RED, LEFT), (BLUE, RIGHT)])
def test_a_face_is_worked_on_by_a_reference_picture(
    resident_host: DrivenHost, name: str, colour: Colour, face: float
) -> None:
    operation, others = CHANGES[name]

    done = resident_host.done(operation(), plain(colour), *others, COLOURS)

    assert changed(done, COLOURS) == {face}


def test_a_swap_takes_a_reference_picture_before_its_own(resident_host: DrivenHost) -> None:
    done = resident_host.done(SwapOperation(), plain(BLUE), plain(LIGHT), COLOURS)

    assert changed(done, COLOURS) == {RIGHT}


def test_all_faces_like_the_reference_picture_are_worked_on(resident_host: DrivenHost) -> None:
    alike = halves(RED, RED)
    operation = EnhanceOperation(face_selector_mode=FaceSelectorMode.REFERENCE)

    done = resident_host.done(operation, plain(RED), alike)

    assert changed(done, alike) == {LEFT, RIGHT}
    assert len(done.answer.selected_faces) == 2


def test_the_mask_is_that_of_the_chosen_face(resident_host: DrivenHost) -> None:
    mask = resident_host.done(MaskOperation(face_position=1), UNLIKE).picture

    assert around(mask, RIGHT)[0] > 200
    assert around(mask, LEFT)[0] < 50


def test_a_detection_tells_how_far_each_face_is_from_the_reference_picture(
    driven_host: DrivenHost,
) -> None:
    # At a distance of 1 no face is left out, however unlike it is.
    operation = DetectOperation(reference_face_distance=1)
    answer = driven_host.done(operation, plain(RED), COLOURS).answer

    red, blue = (face.reference_distance or 0.0 for face in answer.faces or ())
    assert red < 0.05
    assert 0.3 < blue <= 1


def test_the_largest_faces_of_two_reference_images_are_compared_in_either_order(
    driven_host: DrivenHost,
) -> None:
    (step,) = compare_pictures(
        [PlanPicture(name=name, reference=name) for name in ("first", "second")]
    ).steps

    def distance(first: bytes, second: bytes) -> float:
        faces = driven_host.done(step.operation, first, second).answer.faces or ()
        assert faces[0].reference_distance is not None
        return faces[0].reference_distance

    # The face on the right, a blue one, is the larger one.
    assert distance(plain(BLUE), COLOURS) < 0.05 < distance(plain(RED), COLOURS)
    assert distance(COLOURS, plain(RED)) == pytest.approx(distance(plain(RED), COLOURS), abs=0.01)


def test_without_a_reference_picture_no_distance_is_told(resident_host: DrivenHost) -> None:
    answer = resident_host.done(DetectOperation(), COLOURS).answer

    assert [face.reference_distance for face in answer.faces or ()] == [None, None]


@pytest.mark.parametrize(
    ("choice", "others", "told"),
    [
        ({"face_position": 2}, (), "face_position 2 is behind the last of the 2 faces"),
        ({"face_box": (0, 0, 4, 4)}, (), "No face of source_path overlaps"),
        ({"reference_face_distance": 0.05}, (plain((20, 200, 20)),), "looks like the first face"),
        ({}, (plain((0, 0, 0)),), "No face was found in reference_image"),
    ],
    ids=str,
)
def test_fewer_faces_than_asked_for_is_no_face(
    resident_host: DrivenHost, choice: dict[str, object], others: tuple[bytes, ...], told: str
) -> None:
    operation = EnhanceOperation.model_validate(choice)

    with pytest.raises(NoFace, match=told):
        resident_host.done(operation, *others, COLOURS)


def test_the_next_operation_finds_all_faces_again(resident_host: DrivenHost) -> None:
    resident_host.done(EnhanceOperation(face_position=1, face_enhancer_blend=0.9), UNLIKE)

    many = EnhanceOperation(face_selector_mode=FaceSelectorMode.MANY, face_enhancer_blend=0.9)
    assert changed(resident_host.done(many, UNLIKE), UNLIKE) == {LEFT, RIGHT}


def test_a_smaller_face_by_default_is_told(resident_host: DrivenHost) -> None:
    by_default = resident_host.done(EnhanceOperation(), UNLIKE).answer
    by_choice = resident_host.done(EnhanceOperation(face_position=1), UNLIKE).answer

    [note] = by_default.notes
    assert "the largest has" in note
    assert by_choice.notes == ()


def test_a_detection_tells_which_face_would_be_worked_on(resident_host: DrivenHost) -> None:
    answer = resident_host.done(DetectOperation(face_position=1), UNLIKE).answer

    assert answer.total_faces == 2
    assert [box_of(face) for face in answer.selected_faces] == [boxes(resident_host, UNLIKE)[1]]
