"""Drawings on pictures."""

import io

import pytest
from PIL import Image

from storycanvas.faces.sheets.annotations import mask_overlay, numbered_boxes

WHITE = Image.new("RGB", (400, 200), "white")


def drawn(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


@pytest.mark.parametrize("size", [(400, 200), (4000, 2000), (40, 20)])
def test_a_box_stands_where_its_face_is_whatever_the_size(size: tuple[int, int]) -> None:
    scale = size[0] / 400
    box = (round(100 * scale), round(50 * scale), round(80 * scale), round(60 * scale))

    picture = drawn(numbered_boxes(WHITE.resize(size), [box], side=400))

    assert picture.size == (400, 200)
    assert picture.getpixel((180, 80)) == (255, 214, 0)
    assert picture.getpixel((150, 90)) == (255, 255, 255)


def test_only_what_a_mask_leaves_open_is_tinted() -> None:
    mask = Image.new("L", (400, 200))
    mask.paste(255, (0, 0, 200, 200))

    picture = drawn(mask_overlay(WHITE, mask, side=400))

    assert picture.getpixel((100, 100)) != (255, 255, 255)
    assert picture.getpixel((300, 100)) == (255, 255, 255)
