"""The contact sheet: before beside after, each with its label and how it came about."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont, ImageOps

CELL = 512
_MARGIN = 12
_LABEL = 1 / 14
_NOTE = 1 / 18
"""Heights of the two lines below a picture, in sides of a cell: as legible in any size of sheet."""
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
    """What one cell of a sheet shows.

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


def contact_sheet(rows: Sequence[Sequence[SheetEntry]], *, cell: int = CELL) -> bytes:
    """Draw a contact sheet.

    Args:
        rows: The cells, row by row; at least one.
        cell: Side of a picture's square, in pixels.

    Returns:
        A JPEG file, as wide as its longest row.
    """
    if not any(rows):
        raise ValueError("A contact sheet needs at least one picture.")
    height = cell + _caption(cell) + _MARGIN
    size = (max(map(len, rows)) * (cell + _MARGIN) + _MARGIN, len(rows) * height + _MARGIN)
    sheet = Image.new("RGB", size, _PAPER)
    for row, entries in enumerate(rows):
        for column, entry in enumerate(entries):
            left, top = _MARGIN + column * (cell + _MARGIN), _MARGIN + row * height
            _draw(sheet, entry, left, top, cell)
    buffer = io.BytesIO()
    sheet.save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()


def _caption(cell: int) -> int:
    return round(cell * (_LABEL + _NOTE) * 1.25) + 8


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
    below = top + cell + 4
    label, note = ImageFont.load_default(cell * _LABEL), ImageFont.load_default(cell * _NOTE)
    pen.text((left, below), entry.label, fill=_INK, font=label)
    colour = _BADGES.get(entry.note.rpartition(": ")[2], _INK)
    pen.text((left, below + round(cell * _LABEL * 1.25)), entry.note, fill=colour, font=note)


def _around(face: Box, size: tuple[int, int]) -> Box:
    """Find the square around a face, moved so that it lies inside of the picture."""
    x, y, width, height = face
    side = min(round(max(width, height) * _AROUND_FACE), *size)
    left = min(max(x + width // 2 - side // 2, 0), size[0] - side)
    top = min(max(y + height // 2 - side // 2, 0), size[1] - side)
    return left, top, left + side, top + side
