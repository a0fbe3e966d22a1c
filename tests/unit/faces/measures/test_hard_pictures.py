"""Pictures that are hard to measure: each is measured rightly, or has no face, or says why not."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from storycanvas.faces.measures.measure import Bytes
from storycanvas.faces.measures.measuring import FaceMeter, MeasuredFaces, face_meter
from storycanvas.faces.measures.pose import LEFT_EYE, RIGHT_EYE
from tests.support.portraits import drawing, masked, on_canvas, portrait, resized, turned

NO_FACE: dict[str, Bytes] = {
    "without pixels": np.zeros((0, 0, 3), np.uint8),
    "of one pixel": np.zeros((1, 1, 3), np.uint8),
    "a line": np.zeros((1, 3000, 3), np.uint8),
    "blank": np.full((300, 400, 3), 128, np.uint8),
    "noise": np.random.default_rng(1).integers(0, 256, (256, 256, 3), np.uint8),
}


def boxes(measured: MeasuredFaces) -> list[tuple[int, int, int, int]]:
    assert measured.measures is not None
    return [face.box for face in measured.measures]


@pytest.mark.parametrize("name", NO_FACE)
def test_a_picture_without_a_face_has_none_and_nothing_to_say(name: str) -> None:
    measured = face_meter().measure(NO_FACE[name])

    assert (measured.landmarked, measured.measures, measured.not_measured) == ((), (), ())


def test_a_face_of_40_pixels_in_a_large_picture_is_found_where_it_is() -> None:
    small = face_meter().measure(on_canvas(portrait(), 40 / 95))

    ((left, top, width, height),) = boxes(small)
    assert (width, height) == pytest.approx((41, 45), abs=8)
    assert (left + width / 2, top + height / 2) == pytest.approx((487, 443), abs=6)


def test_a_large_picture_is_measured_as_the_same_one_when_small() -> None:
    large = resized(portrait(), 6)

    ((_, _, width, height),) = boxes(face_meter().measure(large))

    ((_, _, small_width, small_height),) = boxes(face_meter().measure(portrait()))
    assert (width / 6, height / 6) == pytest.approx((small_width, small_height), rel=0.05)


@pytest.mark.parametrize("degrees", [-90, -60, -30, 30, 60, 90])
def test_a_turned_face_has_its_points_and_its_roll(degrees: float) -> None:
    measured = face_meter().measure(turned(portrait(), degrees))

    assert measured.measures is not None
    (face,) = measured.measures
    assert face.fit > 0.9
    assert face.roll == pytest.approx(degrees + 2.3, abs=8)


def test_a_mirrored_face_looks_the_other_way() -> None:
    shifted = portrait()[:, ::-1]

    first = face_meter().measure(portrait()).measures
    second = face_meter().measure(np.ascontiguousarray(shifted)).measures

    assert first
    assert second
    assert second[0].yaw == pytest.approx(-first[0].yaw, abs=2)
    assert second[0].roll == pytest.approx(-first[0].roll, abs=2)
    assert second[0].pitch == pytest.approx(first[0].pitch, abs=2)


def test_each_of_several_faces_is_measured_and_the_largest_comes_first() -> None:
    pair = np.hstack([resized(portrait(), 0.5), np.zeros((256, 40, 3), np.uint8)])
    group = np.vstack([np.hstack([pair, np.zeros((256, 216, 3), np.uint8)]), portrait()])

    found = boxes(face_meter().measure(group))

    assert len(found) == 2
    assert found[0][2] == pytest.approx(96, abs=6)
    assert found[1][2] == pytest.approx(48, abs=4)
    assert found[0][1] > 256 > found[1][1]


def test_the_points_of_a_drawn_face_lie_on_its_drawn_eyes() -> None:
    measured = face_meter().measure(drawing())

    assert measured.landmarked is not None
    (face,) = measured.landmarked
    assert face.points[RIGHT_EYE, :2] == pytest.approx((184, 225), abs=14)
    assert face.points[LEFT_EYE, :2] == pytest.approx((328, 225), abs=14)


@pytest.mark.parametrize("colour", [(90, 150, 200), (235, 235, 235)])
def test_the_points_of_a_mask_wearer_lie_on_the_eyes(colour: tuple[int, int, int]) -> None:
    measured = face_meter().measure(masked(portrait(), colour))

    assert measured.landmarked is not None
    (face,) = measured.landmarked
    assert face.points[RIGHT_EYE, :2] == pytest.approx((193.5, 100), abs=8)
    assert face.points[LEFT_EYE, :2] == pytest.approx((255.7, 102.4), abs=8)


def test_threads_that_share_a_meter_get_what_one_gets() -> None:
    pictures = [portrait(), drawing(), np.full((300, 300, 3), 90, np.uint8)] * 4
    alone = FaceMeter()
    expected = [alone.measure(picture).measures for picture in pictures[:3]] * 4
    shared = FaceMeter()

    with ThreadPoolExecutor(2) as threads:
        found = [measured.measures for measured in threads.map(shared.measure, pictures)]

    assert found == expected
