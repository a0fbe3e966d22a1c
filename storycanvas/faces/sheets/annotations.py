"""Drawings on pictures: faces with their numbers, and what a mask leaves open."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from storycanvas.faces.pictures.colours import to_srgb
from storycanvas.faces.pictures.png_files import encode_png
from storycanvas.faces.sheets.contact_sheet import CELL, Box

_LINE = (255, 214, 0)
_INK = (20, 20, 20)
_TINT = (220, 30, 30)
_TINT_SHARE = 0.55


def numbered_boxes(image: Image.Image, boxes: Sequence[Box], *, side: int = 2 * CELL) -> bytes:
    """Draw a box with its number, from 0, around each face.

    Args:
        image: The picture; it stays as it is.
        boxes: Left, top, width and height in pixels of the picture, in the order of the numbers.
        side: Longest side of the drawing, in pixels.

    Returns:
        A PNG file.
    """
    drawing = _drawable(image, side)
    scale = drawing.width / image.width
    pen = ImageDraw.Draw(drawing)
    line = max(2, round(side / 200))
    font = ImageFont.load_default(side / 24)
    for number, (x, y, width, height) in enumerate(boxes):
        left, top = x * scale, y * scale
        pen.rectangle(
            (left, top, left + width * scale, top + height * scale), outline=_LINE, width=line
        )
        text = f" {number} "
        # Above the face, unless the picture ends there.
        anchor = "lb" if pen.textbbox((left, top), text, font=font, anchor="lb")[1] >= 0 else "la"
        pen.rectangle(pen.textbbox((left, top), text, font=font, anchor=anchor), fill=_LINE)
        pen.text((left, top), text, fill=_INK, font=font, anchor=anchor)
    return encode_png(drawing, None)


def mask_overlay(image: Image.Image, mask: Image.Image, *, side: int = CELL) -> bytes:
    """Tint a picture red where a mask is white.

    Args:
        image: The picture; it stays as it is.
        mask: Of the same proportions: white where an operation may change the picture.
        side: Longest side of the drawing, in pixels.

    Returns:
        A PNG file.
    """
    drawing = _drawable(image, side)
    share = mask.convert("L").resize(drawing.size).point(lambda value: round(value * _TINT_SHARE))
    drawing.paste(_TINT, (0, 0, *drawing.size), mask=share)
    return encode_png(drawing, None)


def _drawable(image: Image.Image, side: int) -> Image.Image:
    return to_srgb(ImageOps.contain(image, (side, side))).convert("RGB")
