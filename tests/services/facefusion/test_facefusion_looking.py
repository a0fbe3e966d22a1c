"""Finding faces, and the masks of them."""

import numpy as np
import pytest

from storycanvas.faces.operations import (
    DetectOperation,
    FaceMaskType,
    FaceSelectorOrder,
    MaskOperation,
)
from tests.support.facefusion.driven_host import DrivenHost
from tests.support.facefusion.made_pictures import BLACK, halves, plain

DARK, BRIGHT = (60, 60, 60), (180, 180, 180)
LEFT_FACE = (160 - 51, 128 - 51, 102, 102)
RIGHT_FACE = (480 - 64, 128 - 64, 128, 128)


def test_one_face_is_found_where_it_is(resident_host: DrivenHost) -> None:
    answer = resident_host.done(DetectOperation(), plain()).answer
    assert answer.faces is not None
    [face] = answer.faces
    assert (face.x, face.y, face.width, face.height) == pytest.approx((77, 77, 102, 102), abs=1)
    assert face.estimated_age == answer.estimated_age == 34
    assert (answer.total_faces, answer.faces_detected, answer.output_path) == (1, 1, None)


def test_two_faces_come_in_the_order_asked_for(driven_host: DrivenHost) -> None:
    operation = DetectOperation(face_selector_order=FaceSelectorOrder.LARGE_SMALL)
    answer = driven_host.done(operation, halves(DARK, BRIGHT)).answer
    boxes = [(face.x, face.y, face.width, face.height) for face in answer.faces or ()]
    assert boxes == [pytest.approx(RIGHT_FACE, abs=1), pytest.approx(LEFT_FACE, abs=1)]
    assert [face.estimated_age for face in answer.faces or ()] == [54, 14]
    assert answer.estimated_age == 54


@pytest.mark.parametrize(
    ("brightness", "age"),
    [
        *((20, 0.5), (40, 5.5), (70, 14), (100, 24), (120, 34)),
        *((150, 44), (185, 54), (210, 64), (250, 84.5)),
    ],
)
def test_each_age_class_has_its_mean(
    resident_host: DrivenHost, brightness: int, age: float
) -> None:
    picture = plain((brightness, brightness, brightness))
    assert resident_host.done(DetectOperation(), picture).answer.estimated_age == age


def test_the_detectors_score_is_reported(resident_host: DrivenHost) -> None:
    faces = resident_host.done(DetectOperation(), halves(DARK, BRIGHT)).answer.faces or ()
    assert [face.score for face in faces] == [0.9, 0.8]


def test_a_picture_without_a_face_has_none(resident_host: DrivenHost) -> None:
    answer = resident_host.done(DetectOperation(), plain(BLACK)).answer
    assert (answer.faces, answer.total_faces, answer.estimated_age) == ((), 0, None)


def test_a_mask_is_white_inside_and_black_outside(driven_host: DrivenHost) -> None:
    done = driven_host.done(MaskOperation(), plain())
    assert done.picture.size == (256, 256)
    assert tuple(done.pixels[128, 128]) == (255, 255, 255)
    assert not done.pixels[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    assert set(np.unique(done.pixels)) == {0, 255}


def test_an_occluded_part_is_not_in_the_mask(resident_host: DrivenHost) -> None:
    whole, free = (
        resident_host.done(MaskOperation(face_mask_types=kinds), plain()).pixels[..., 0] > 0
        for kinds in ((FaceMaskType.BOX,), (FaceMaskType.BOX, FaceMaskType.OCCLUSION))
    )
    assert free.sum() < whole.sum()
    assert not (free & ~whole).any()


def test_a_face_from_the_front_has_small_angles(driven_host: DrivenHost) -> None:
    [face] = driven_host.done(DetectOperation(), plain()).answer.faces or ()
    assert (face.yaw, face.roll) == (pytest.approx(0, abs=0.2), pytest.approx(0, abs=0.2))
    assert face.pitch == pytest.approx(-6.6, abs=0.5)  # of the face of these weights
