"""The contact sheet: before beside after, each with its label and how it came about."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageOps

from storycanvas.faces.pictures.colours import to_srgb
from storycanvas.faces.pictures.png_files import encode_png
from storycanvas.faces.sheets.captions import Line, caption, draw_caption, height_of

CELL = 512
_MARGIN = 12
_GAP = 4
"""Pixels between a picture and its caption."""
_AROUND_FACE = 2.6
"""Side of the part that is shown, in face sizes: the face with its hair and some of its place."""
_PAPER = (250, 250, 248)
_GROUND = (226, 226, 222)

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class SheetEntry:
    """What one cell of a sheet shows.

    Attributes:
        label: The upper line of the caption.
        note: The lower line: `done`, `reused`, `rejected`, `failed`, `skipped`, anything else, or
            what was not done after the picture, such as `enhance age 45: failed`.
        picture: The encoded picture, or what makes it when the cell is drawn, so that the pictures
            of a long sheet are never in memory together; None draws an empty cell.
        face: Left, top, width and height in pixels of the face to be shown; None shows all.
        measured: A third line: what was measured of the picture; empty leaves it out.
        warnings: What a person should know of the picture, in sentences.
    """

    label: str
    note: str
    picture: bytes | Callable[[], bytes | None] | None
    face: Box | None = None
    measured: str = ""
    warnings: tuple[str, ...] = ()

    def encoded(self) -> bytes | None:
        """Return the encoded picture."""
        return self.picture() if callable(self.picture) else self.picture

    def described(self) -> str:
        """Say in words what the cell shows."""
        missing = "" if self.picture else "no picture"
        facts = [part for part in (self.note, missing, self.measured) if part]
        told = ", ".join([self.label, *facts])
        return " ".join([f"{told}.", *(f"Warning: {text}" for text in self.warnings)])


MAX_PAGE_CELLS = 48
"""A page of more cells is longer than a person scrolls, and than its artifact may be."""


def pages(
    rows: Sequence[Sequence[SheetEntry]], max_cells: int = MAX_PAGE_CELLS
) -> list[list[Sequence[SheetEntry]]]:
    """Cut a sheet into pages of whole rows, each of at most so many cells or of one row."""
    cut: list[list[Sequence[SheetEntry]]] = []
    cells = 0
    for row in rows:
        if not cut or cells + len(row) > max_cells:
            cut.append([])
            cells = 0
        cut[-1].append(row)
        cells += len(row)
    return cut


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
    captions = [[_caption(entry, cell) for entry in row] for row in rows]
    heights = [cell + _GAP + max(map(height_of, row), default=0) + _MARGIN for row in captions]
    size = (max(map(len, rows)) * (cell + _MARGIN) + _MARGIN, sum(heights) + _MARGIN)
    sheet = Image.new("RGB", size, _PAPER)
    for row, entries in enumerate(rows):
        top = _MARGIN + sum(heights[:row])
        for column, entry in enumerate(entries):
            left = _MARGIN + column * (cell + _MARGIN)
            _draw(sheet, entry, captions[row][column], (left, top), cell)
    buffer = io.BytesIO()
    sheet.save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()


def smaller_sheet(sheet: bytes, cell: int) -> bytes:
    """Draw a sheet anew with smaller cells; no picture is decoded again for it."""
    with Image.open(io.BytesIO(sheet)) as large:
        size = (max(1, large.width * cell // CELL), max(1, large.height * cell // CELL))
        small = large.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()


def cut_out(image: Image.Image, face: Box | None) -> bytes:
    """Cut the part that a cell shows out of a picture, as a small PNG for `SheetEntry`.

    A picture is decoded once for all sheets that show it, and not kept.
    """
    return encode_png(_fitted(image, face, CELL), None)


def _fitted(image: Image.Image, face: Box | None, cell: int) -> Image.Image:
    part = image.crop(_around(face, image.size)) if face else image
    shown = part if part.mode in {"RGB", "RGBA"} else part.convert("RGB")
    # A sheet has no profile: a phone's wide colours would look pale in it.
    shown = to_srgb(ImageOps.contain(shown, (cell, cell)))
    if shown.mode == "RGB":
        return shown
    ground = Image.new("RGB", shown.size, _GROUND)
    ground.paste(shown, mask=shown.getchannel("A"))
    return ground


def _caption(entry: SheetEntry, cell: int) -> Sequence[Line]:
    return caption(entry.label, entry.note, entry.measured, entry.warnings, cell)


def _draw(
    sheet: Image.Image, entry: SheetEntry, lines: Sequence[Line], place: tuple[int, int], cell: int
) -> None:
    left, top = place
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((left, top, left + cell - 1, top + cell - 1), fill=_GROUND)
    picture = entry.encoded()
    if picture is not None:
        with Image.open(io.BytesIO(picture)) as image:
            thumbnail = _fitted(image, entry.face, cell)
        x = left + (cell - thumbnail.width) // 2
        y = top + (cell - thumbnail.height) // 2
        sheet.paste(thumbnail, (x, y))
    draw_caption(pen, lines, left, top + cell + _GAP)


def _around(face: Box, size: tuple[int, int]) -> Box:
    """Find the square around a face, moved so that it lies inside of the picture."""
    x, y, width, height = face
    side = min(round(max(width, height) * _AROUND_FACE), *size)
    left = min(max(x + width // 2 - side // 2, 0), size[0] - side)
    top = min(max(y + height // 2 - side // 2, 0), size[1] - side)
    return left, top, left + side, top + side
