"""Pictures of one or two colours, as the stand-in models see faces in them.

One face stands in the middle, 0.4 of the short side wide. Wider than twice its height, a picture
has two: 0.4 of its height in the left half, 0.5 in the right. A black picture has none. The
estimated age rises with brightness, in nine classes.
"""

import io
from typing import Any

import numpy as np
from PIL import Image

Colour = tuple[int, ...]

SIDE = 256
GREY: Colour = (120, 120, 120)
BLACK: Colour = (0, 0, 0)
RED: Colour = (230, 30, 30)
BLUE: Colour = (30, 30, 230)
MAGENTA: Colour = (255, 0, 255)
WIDE = (640, 256)
LEFT, MIDDLE, RIGHT = 0.25, 0.5, 0.75


def plain(colour: Colour = GREY, size: tuple[int, int] = (SIDE, SIDE)) -> bytes:
    """A PNG of one colour: RGB, or RGBA for four numbers."""
    return encoded(Image.new("RGB" if len(colour) < 4 else "RGBA", size, colour))


def halves(left: Colour, right: Colour, size: tuple[int, int] = WIDE) -> bytes:
    """A PNG whose halves have a colour each."""
    image = Image.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return encoded(image)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def around(image: Image.Image, across: float = MIDDLE, down: float = MIDDLE) -> tuple[float, ...]:
    """The mean colour of 9 x 9 pixels around a place, given in parts of width and height."""
    x, y = round(across * image.width), round(down * image.height)
    patch = np.asarray(image)[y - 4 : y + 5, x - 4 : x + 5]
    return tuple(patch.reshape(-1, patch.shape[-1]).mean(axis=0).tolist())


def brighter(before: bytes, after: Image.Image, across: float = MIDDLE) -> float:
    """By how much the middle of a face became brighter, 0 to 255; negative is darker."""
    colours = zip(around(opened(before), across), around(after, across), strict=True)
    differences = [new - old for old, new in colours]
    return sum(differences) / len(differences)


def changed_box(before: bytes, after: Image.Image) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of all pixels that differ; None if none do."""
    differs = (np.asarray(opened(before)) != np.asarray(after)).any(axis=2)
    return Image.fromarray(differs).getbbox()
