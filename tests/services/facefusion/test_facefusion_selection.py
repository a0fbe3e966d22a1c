"""Which faces are worked on, and what answers report of values that FaceFusion does not have."""

import pytest

from storycanvas.faces.operations import (
    EditOperation,
    EnhanceOperation,
    FaceOperation,
    FaceSelectorMode,
    FaceSelectorOrder,
    FaceSwapperModel,
    SwapOperation,
)
from tests.support.facefusion.driven_host import DrivenHost
from tests.support.facefusion.made_pictures import BLUE, GREY, LEFT, RIGHT, brighter, halves, plain

UNLIKE = halves((60, 60, 60), (180, 180, 180))
ALIKE = halves(GREY, GREY)
ORDERS = {
    FaceSelectorOrder.LEFT_RIGHT: LEFT,
    FaceSelectorOrder.RIGHT_LEFT: RIGHT,
    FaceSelectorOrder.TOP_BOTTOM: RIGHT,
    FaceSelectorOrder.BOTTOM_TOP: LEFT,
    FaceSelectorOrder.SMALL_LARGE: LEFT,
    FaceSelectorOrder.LARGE_SMALL: RIGHT,
    FaceSelectorOrder.BEST_WORST: LEFT,
    FaceSelectorOrder.WORST_BEST: RIGHT,
}
BOTH = {LEFT, RIGHT}


def enhanced(host: DrivenHost, operation: FaceOperation, picture: bytes) -> set[float]:
    """Return which of two faces became brighter."""
    made = host.done(operation, picture).picture
    return {face for face in (LEFT, RIGHT) if brighter(picture, made, face) > 10}


@pytest.mark.parametrize("order", FaceSelectorOrder)
def test_one_face_is_the_first_in_order(
    resident_host: DrivenHost, order: FaceSelectorOrder
) -> None:
    operation = EnhanceOperation(face_selector_order=order)
    assert enhanced(resident_host, operation, UNLIKE) == {ORDERS[order]}


@pytest.mark.parametrize("mode", [FaceSelectorMode.MANY, FaceSelectorMode.ALL])
def test_all_faces_are_many(resident_host: DrivenHost, mode: FaceSelectorMode) -> None:
    assert enhanced(resident_host, EnhanceOperation(face_selector_mode=mode), UNLIKE) == BOTH


def test_mode_all_is_reported_as_many(resident_host: DrivenHost) -> None:
    operation = EnhanceOperation(face_selector_mode=FaceSelectorMode.ALL)
    done = resident_host.done(operation, plain())
    assert done.answer.used["face_selector_mode"] == "many"
    assert brighter(plain(), done.picture) > 10


@pytest.mark.parametrize(
    ("order", "first"),
    [(FaceSelectorOrder.LEFT_RIGHT, LEFT), (FaceSelectorOrder.LARGE_SMALL, RIGHT)],
)
def test_a_reference_is_the_first_face_in_order(
    resident_host: DrivenHost, order: FaceSelectorOrder, first: float
) -> None:
    operation = EnhanceOperation(
        face_selector_mode=FaceSelectorMode.REFERENCE, face_selector_order=order
    )
    assert enhanced(resident_host, operation, UNLIKE) == {first}


def test_faces_like_the_reference_are_worked_on_too(resident_host: DrivenHost) -> None:
    operation = EnhanceOperation(face_selector_mode=FaceSelectorMode.REFERENCE)
    assert enhanced(resident_host, operation, ALIKE) == BOTH


@pytest.mark.parametrize(
    ("asked", "used"), [(0.5, None), (0.333, 0.33), (0.996, 1.0), (0.004, 0.0)]
)
def test_a_blend_off_the_grid_is_reported(
    resident_host: DrivenHost, asked: float, used: float | None
) -> None:
    answer = resident_host.done(EnhanceOperation(face_enhancer_blend=asked), plain()).answer
    assert answer.used.get("face_enhancer_blend") == used


@pytest.mark.parametrize(("asked", "used"), [(33, 35), (-33, -35), (35, None), (2, 0)])
def test_an_editor_value_off_the_grid_is_reported(
    resident_host: DrivenHost, asked: int, used: int | None
) -> None:
    answer = resident_host.done(EditOperation(face_editor_head_roll=asked), plain()).answer
    assert answer.used.get("face_editor_head_roll") == used


def test_the_owners_swapper_is_replaced_and_reported(resident_host: DrivenHost) -> None:
    operation = SwapOperation(face_swapper_model=FaceSwapperModel.INSWAPPER_256)
    answer = resident_host.done(operation, plain(BLUE), plain()).answer
    assert answer.models == ("inswapper_128", "yolo_face")
    assert answer.used["face_swapper_model"] == "inswapper_128"
    assert answer.used["face_swapper_pixel_boost"] == "256x256"


def test_the_owners_detector_is_reported_by_its_own_name(resident_host: DrivenHost) -> None:
    answer = resident_host.done(EnhanceOperation(), plain()).answer
    assert answer.used == {"face_detector_model": "yolo_face"}
