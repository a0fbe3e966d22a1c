"""Boxes in pictures: shares, room around them, and the part of a picture within one."""

import io

import pytest
from PIL import Image

from storycanvas.faces.errors import OutOfRange
from storycanvas.faces.pictures.boxes import Box, common_area, cut_to, overlap, widened
from storycanvas.faces.pictures.reading import Picture, read_picture

SIZE = (60, 40)


def picture() -> Picture:
    """Each pixel has a colour of its own; with a profile and alpha."""
    image = Image.new("RGBA", SIZE)
    image.putdata([(x, y, 7, 200) for y in range(SIZE[1]) for x in range(SIZE[0])])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    read = read_picture(buffer.getvalue(), "made")
    read.notes = ("It has a note.",)
    return read


def test_a_cut_keeps_the_pixels_within_the_box_and_nothing_else() -> None:
    whole = picture()

    part = cut_to(whole, (10, 5, 20, 30), "it")

    assert (part.width, part.height) == (20, 30)
    assert part.image.getpixel((0, 0)) == (10, 5, 7, 200)
    assert part.image.getpixel((19, 29)) == (29, 34, 7, 200)
    assert part.notes == whole.notes
    assert part.sha256 != whole.sha256
    assert part.sha256 == cut_to(picture(), (10, 5, 20, 30), "it").sha256


@pytest.mark.parametrize("box", [(41, 0, 20, 20), (0, 21, 20, 20)])
def test_a_box_beyond_the_picture_is_refused(box: Box) -> None:
    with pytest.raises(OutOfRange, match="60 x 40 pixels"):
        cut_to(picture(), box, "it")


WIDENED = [
    ((20, 10, 20, 10), 0.5, (10, 5, 40, 20)),
    ((20, 10, 20, 10), 0.15, (17, 8, 26, 4 + 10)),
    ((0, 0, 20, 20), 1.0, (0, 0, 40, 40)),
    ((50, 30, 10, 10), 1.0, (40, 20, 20, 20)),
]


@pytest.mark.parametrize(("box", "share", "wide"), WIDENED)
def test_a_box_is_widened_within_the_picture(box: Box, share: float, wide: Box) -> None:
    assert widened(box, share, SIZE) == wide


SHARED = [
    ((0, 0, 10, 10), (0, 0, 10, 10), 100, 1.0),
    ((0, 0, 10, 10), (5, 0, 10, 10), 50, 1 / 3),
    ((0, 0, 10, 10), (10, 0, 10, 10), 0, 0.0),
    ((0, 0, 10, 10), (20, 20, 5, 5), 0, 0.0),
]


@pytest.mark.parametrize(("first", "second", "pixels", "share"), SHARED)
def test_what_two_boxes_have_in_common_is_the_same_both_ways(
    first: Box, second: Box, pixels: int, share: float
) -> None:
    for one, other in ((first, second), (second, first)):
        assert common_area(one, other) == pixels
        assert overlap(one, other) == pytest.approx(share)
