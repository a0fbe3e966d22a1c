"""Pixels of pictures, some rows at a time, so that a large picture takes few copies of itself."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faces.errors import EngineFailed
from faces.pictures import Picture, decode, normal_form

_ROWS = 256

Bytes = NDArray[np.uint8]


def opened(picture: Picture) -> Image.Image:
    """Decode a picture in normal form."""
    return decode(picture.png, "a picture of an operation", picture.width * picture.height)


def as_before(image: Image.Image, before: Image.Image) -> Picture:
    """Encode an image with the ICC profile of another."""
    image.info["icc_profile"] = before.info.get("icc_profile")
    return normal_form(image)


def alike(before: Image.Image, after: Image.Image) -> None:
    """Refuse two images that cannot be laid on each other.

    Raises:
        EngineFailed: Size or mode differ.
    """
    if (before.size, before.mode) != (after.size, after.mode):
        raise EngineFailed(
            f"A picture of {before.width} x {before.height} pixels in {before.mode} cannot be "
            f"combined with one of {after.width} x {after.height} in {after.mode}."
        )


def row_pairs(pixels: Bytes, image: Image.Image) -> Iterator[tuple[Bytes, Bytes]]:
    """Go through two pictures of one size from top to bottom.

    Args:
        pixels: Rows, columns, bands of the first.
        image: The second.

    Yields:
        Some rows of both; those of the first are views, those of the second copies.
    """
    for row in range(0, image.height, _ROWS):
        end = min(row + _ROWS, image.height)
        yield pixels[row:end], np.asarray(image.crop((0, row, image.width, end)))
