"""The contact sheet: base and results side by side, each with its label and how it came about."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from PIL import Image, ImageDraw, ImageFont, ImageOps

CELL = 256
_MARGIN = 12
_CAPTION = 52
_COLUMNS = 6
_AROUND_FACE = 2.6
"""Side of the part that is shown, in face sizes: the face with its hair and some of its place."""
_PAPER = (250, 250, 248)
_INK = (32, 32, 32)
_BADGES = {
    "done": (33, 118, 74),
    "reused": (44, 92, 158),
    "failed": (176, 42, 42),
    "skipped": (120, 120, 120),
}


Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class SheetEntry:
    """One cell of a sheet.

    Attributes:
        label: The upper line of the caption.
        note: The lower line: `done`, `reused`, `failed`, `skipped`, anything else, or what was not
            done after the picture, such as `enhance age 45: failed`.
        picture: The encoded picture; None draws an empty cell.
        face: Left, top, width and height in pixels of the face to be shown; None shows all.
    """

    label: str
    note: str
    picture: bytes | None
    face: Box | None = None


def contact_sheet(entries: Sequence[SheetEntry], *, cell: int = CELL) -> bytes:
    """Draw a contact sheet.

    Args:
        entries: The cells, row by row; at least one.
        cell: Side of a picture's square, in pixels.

    Returns:
        A JPEG file, at most six cells wide.
    """
    if not entries:
        raise ValueError("A contact sheet needs at least one picture.")
    columns = min(_COLUMNS, len(entries))
    rows = ceil(len(entries) / columns)
    width = columns * (cell + _MARGIN) + _MARGIN
    height = rows * (cell + _CAPTION + _MARGIN) + _MARGIN
    sheet = Image.new("RGB", (width, height), _PAPER)
    for index, entry in enumerate(entries):
        row, column = divmod(index, columns)
        left = _MARGIN + column * (cell + _MARGIN)
        top = _MARGIN + row * (cell + _CAPTION + _MARGIN)
        _draw(sheet, entry, left, top, cell)
    buffer = io.BytesIO()
    sheet.save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()


def _draw(sheet: Image.Image, entry: SheetEntry, left: int, top: int, cell: int) -> None:
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((left, top, left + cell - 1, top + cell - 1), fill=(226, 226, 222))
    if entry.picture is not None:
        with Image.open(io.BytesIO(entry.picture)) as image:
            part = image.crop(_around(entry.face, image.size)) if entry.face else image
            thumbnail = ImageOps.contain(part.convert("RGB"), (cell, cell))
        x = left + (cell - thumbnail.width) // 2
        y = top + (cell - thumbnail.height) // 2
        sheet.paste(thumbnail, (x, y))
    pen.text((left, top + cell + 4), entry.label, fill=_INK, font=ImageFont.load_default(20))
    colour = _BADGES.get(entry.note.rpartition(": ")[2], _INK)
    pen.text((left, top + cell + 28), entry.note, fill=colour, font=ImageFont.load_default(16))


def _around(face: Box, size: tuple[int, int]) -> Box:
    """Find the square around a face, moved so that it lies inside of the picture."""
    x, y, width, height = face
    side = min(round(max(width, height) * _AROUND_FACE), *size)
    left = min(max(x + width // 2 - side // 2, 0), size[0] - side)
    top = min(max(y + height // 2 - side // 2, 0), size[1] - side)
    return left, top, left + side, top + side
