"""What FaceFusion's face debugger drew is read as it was meant, or not at all."""

import io

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from storycanvas.faces.errors import EngineFailed
from storycanvas.faces.pictures.reading import Picture, normal_form
from storycanvas.host.engines.facefusion.drawn import Box, drawn_boxes, drawn_mask

Bytes = NDArray[np.uint8]
Corners = tuple[int, int, int, int]

# Heights with the thicknesses of box and top line that FaceFusion 3.7 to 3.8.1 draws there, and
# those of 3.5 and 3.6, which are the same on all pictures.
PENS = pytest.mark.parametrize(
    ("height", "side"),
    [(100, 1), (300, 1), (600, 2), (1200, 4), (2800, 10), (100, 2), (1200, 2)],
    ids=str,
)


def ground(width: int, height: int) -> Bytes:
    small = np.random.default_rng(7).integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height)).astype(np.uint8)


def with_boxes(before: Bytes, boxes: list[Corners], side: int) -> Bytes:
    drawn = before.copy()
    for left, top, right, bottom in boxes:
        cv2.rectangle(drawn, (left, top), (right, bottom), (255, 0, 0), side)
        cv2.line(drawn, (left, top), (right, top), (255, 100, 100), side + 1)
    return drawn


def with_contours(
    before: Bytes, masks: list[Bytes], thickness: int = 1, colour: tuple[int, ...] = (0, 255, 0)
) -> Bytes:
    drawn = before.copy()
    for mask in masks:
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, contours, -1, colour, thickness)
    return drawn


def picture(pixels: Bytes) -> Picture:
    return normal_form(Image.fromarray(pixels))


def boxes_of(before: Bytes, drawn: Bytes) -> tuple[Box, ...]:
    return drawn_boxes(picture(before), picture(drawn))


def mask_of(before: Bytes, drawn: Bytes) -> Bytes:
    image = Image.open(io.BytesIO(drawn_mask(picture(before), picture(drawn)).png))
    return np.asarray(image)[:, :, 0]


def filled(shape: tuple[int, int], *parts: Corners) -> Bytes:
    mask = np.zeros(shape, np.uint8)
    for left, top, right, bottom in parts:
        mask[top:bottom, left:right] = 255
    return mask


def nearly(read: Bytes, mask: Bytes, pixels: int = 1) -> bool:
    around = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return bool(
        (read >= cv2.erode(mask, around)).all() and (read <= cv2.dilate(mask, around)).all()
    )


@PENS
def test_several_boxes_are_read_to_the_pixel(height: int, side: int) -> None:
    before = ground(400, height)
    corners = [(20, 20, 90, 80), (130, 30, 200, 90), (260, 10, 370, height + 10)]

    read = boxes_of(before, with_boxes(before, corners, side))

    assert read == tuple(Box(x, y, right - x, min(low, height) - y) for x, y, right, low in corners)


@pytest.mark.parametrize(
    ("corners", "box"),
    [
        ((-20, 30, 50, 90), Box(0, 30, 50, 60)),
        ((30, -20, 90, 50), Box(30, 0, 60, 50)),
        ((150, 40, 230, 90), Box(150, 40, 50, 50)),
        ((60, 70, 110, 130), Box(60, 70, 50, 30)),
        ((-5, -5, 60, 60), Box(0, 0, 60, 60)),
        ((-9, -9, 300, 60), Box(0, 0, 200, 60)),
        ((0, 0, 199, 99), Box(0, 0, 199, 99)),
        ((-1, 20, 40, 70), Box(0, 20, 40, 50)),
        ((-40, 30, 3, 60), Box(0, 30, 3, 30)),
        ((30, 96, 90, 150), Box(30, 96, 60, 4)),
    ],
    ids=str,
)
@pytest.mark.parametrize("side", [1, 2])
def test_a_box_is_cut_at_the_pictures_edge(corners: Corners, box: Box, side: int) -> None:
    before = ground(200, 100)

    assert boxes_of(before, with_boxes(before, [corners], side)) == (box,)


@pytest.mark.parametrize(
    "corners",
    [
        [(20, 20, 100, 120), (60, 60, 160, 180)],
        [(60, 60, 160, 180), (20, 20, 100, 120)],
        [(20, 20, 160, 180), (60, 60, 100, 120)],
        [(20, 20, 80, 120), (81, 20, 140, 120)],
        [(20, 60, 180, 120), (60, 20, 120, 180)],
        [(20, 20, 80, 100), (60, 40, 130, 130), (110, 60, 180, 180)],
    ],
    ids=["crossing", "crossing back", "inside", "beside", "cross", "chain"],
)
def test_boxes_that_overlap_are_told_apart(corners: list[Corners]) -> None:
    before = ground(200, 200)

    read = boxes_of(before, with_boxes(before, corners, 2))

    assert read == tuple(sorted(Box(x, y, right - x, low - y) for x, y, right, low in corners))


def test_boxes_that_may_be_others_are_not_read() -> None:
    before = ground(200, 200)
    side_by_side = [(20, 20, 100, 120), (100, 20, 180, 120)]

    with pytest.raises(EngineFailed, match="told apart"):
        boxes_of(before, with_boxes(before, side_by_side, 2))


def test_a_box_over_pixels_of_its_own_colour_is_read() -> None:
    before = ground(300, 200)
    before[50:90, 40:120] = (255, 0, 0)

    assert boxes_of(before, with_boxes(before, [(60, 30, 200, 150)], 1)) == (Box(60, 30, 140, 120),)


def test_a_picture_that_nothing_was_drawn_on_has_no_boxes() -> None:
    assert boxes_of(ground(100, 100), ground(100, 100)) == ()


@pytest.mark.parametrize("colour", [(255, 0, 0), (255, 100, 100), (1, 2, 3)], ids=str)
def test_what_is_no_box_is_not_read_as_one(colour: tuple[int, int, int]) -> None:
    before = ground(200, 200)
    drawn = before.copy()
    cv2.peer_group_id(drawn, (100, 100), 50, colour, 2)

    with pytest.raises(EngineFailed):
        boxes_of(before, drawn)


def test_half_a_box_is_not_read_as_one() -> None:
    before = ground(200, 200)
    drawn = with_boxes(before, [(40, 40, 120, 120)], 2)
    drawn[:, 100:] = before[:, 100:]

    with pytest.raises(EngineFailed, match="fewer faces"):
        boxes_of(before, drawn)


def test_a_drawing_of_another_size_is_refused() -> None:
    with pytest.raises(EngineFailed, match="100 x 120"):
        boxes_of(ground(100, 100), ground(100, 120))


@pytest.mark.parametrize(
    "parts",
    [
        [(60, 60, 200, 220)],
        [(60, 60, 120, 220), (160, 90, 260, 200)],
        [(0, 60, 120, 220)],
        [(200, 0, 300, 100)],
        [(0, 0, 300, 300)],
        [(0, 200, 300, 300)],
    ],
    ids=["inside", "two", "left edge", "corner", "all", "whole bottom"],
)
@pytest.mark.parametrize("thickness", [1, 2])
def test_a_mask_is_white_inside_its_contour(parts: list[Corners], thickness: int) -> None:
    before, mask = ground(300, 300), filled((300, 300), *parts)

    assert nearly(mask_of(before, with_contours(before, [mask], thickness)), mask)


@pytest.mark.parametrize("colour", [(0, 255, 0), (0, 255, 255), (255, 165, 0)], ids=str)
def test_contours_have_three_colours(colour: tuple[int, int, int]) -> None:
    before, mask = ground(300, 300), filled((300, 300), (60, 60, 200, 220))

    assert nearly(mask_of(before, with_contours(before, [mask], 1, colour)), mask)


@pytest.mark.parametrize("height", [300, 1200], ids=str)
def test_a_round_mask_is_read_to_two_pixels(height: int) -> None:
    before, mask = ground(height, height), np.zeros((height, height), np.uint8)
    cv2.ellipse(mask, (height // 2, height // 2), (height // 4, height // 3), 20, 0, 360, 255, -1)

    read = mask_of(before, with_contours(before, [mask], max(1, min(10, round(height / 270)))))

    assert nearly(read, mask, 2)


def test_holes_are_black_and_islands_in_them_white() -> None:
    before, mask = ground(300, 300), filled((300, 300), (30, 30, 270, 270))
    mask[80:220, 80:220] = 0
    mask[120:180, 120:180] = 255

    read = mask_of(before, with_contours(before, [mask]))

    assert [read[at, at] for at in (10, 50, 100, 150)] == [0, 255, 0, 255]
    assert np.count_nonzero(read != mask) < 4 * 4 * 140


def test_a_hole_whose_tip_touches_the_outline_stays_black() -> None:
    before, mask = ground(300, 300), filled((300, 300), (30, 30, 270, 270))
    tips = np.array([(32, 150), (100, 83), (167, 150), (100, 217)], np.int32)
    cv2.fillPoly(mask, [tips], 0)

    read = mask_of(before, with_contours(before, [mask], 2))

    assert [read[150, at] for at in (10, 100, 220)] == [0, 0, 255]


@pytest.mark.parametrize("thickness", [1, 2])
def test_masks_of_two_faces_that_overlap_are_both_white(thickness: int) -> None:
    before = ground(300, 300)
    masks = [filled((300, 300), (30, 40, 170, 200)), filled((300, 300), (120, 90, 270, 260))]

    read = mask_of(before, with_contours(before, masks, thickness))

    assert nearly(read, np.maximum(*masks))


def test_a_contour_over_pixels_of_its_own_colour_is_closed() -> None:
    before, mask = ground(300, 300), filled((300, 300), (60, 60, 200, 220))
    before[100:120, 30:90] = (0, 255, 0)

    read = mask_of(before, with_contours(before, [mask]))

    assert read[150, 130] == 255
    assert read[10, 10] == 0


@pytest.mark.parametrize("drawn", ["nothing", "a line", "another colour"])
def test_lines_that_enclose_nothing_are_refused(drawn: str) -> None:
    before = ground(300, 300)
    after = before.copy()
    if drawn != "nothing":
        colour = (0, 255, 0) if drawn == "a line" else (9, 9, 9)
        cv2.line(after, (20, 20), (200, 100), colour, 2)

    with pytest.raises(EngineFailed):
        mask_of(before, after)
