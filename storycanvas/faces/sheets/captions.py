"""What stands below a picture of a contact sheet: its label, how it came about, what to know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import ImageDraw, ImageFont

_LABEL = 1 / 14
_NOTE = 1 / 18
_WARNING = 1 / 22
"""Heights of the lines, in sides of a cell: as legible in any size."""
_SPACING = 1.25
"""Height of a line, in that of its letters."""
_MAX_WARNING_LINES = 5
"""Of all warnings of a picture; what does not fit stands below the sheet."""
_INK = (32, 32, 32)
_WARNING_INK = (154, 84, 0)
_BADGES = {
    "done": (33, 118, 74),
    "reused": (44, 92, 158),
    "failed": (176, 42, 42),
    "rejected": (146, 84, 20),
    "skipped": (120, 120, 120),
}

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Line:
    """A line of a caption.

    Attributes:
        text: What it says.
        font: Its font, in which it is no wider than its cell.
        height: Pixels down to the next line.
        ink: Its colour.
    """

    text: str
    font: Font
    height: int
    ink: Colour = _INK


def caption(
    label: str, note: str, measured: str, warnings: Sequence[str], cell: int
) -> tuple[Line, ...]:
    """Set the lines of a caption.

    Args:
        label: The first line, larger than the others.
        note: The second line, coloured by the outcome that it names.
        measured: The third line; empty leaves it out.
        warnings: Sentences, each from a line of its own on.
        cell: Side of a picture's square, in pixels.
    """
    badge = _BADGES.get(note.rpartition(": ")[2], _INK)
    lines = [_line(label, cell, _LABEL), _line(note, cell, _NOTE, badge)]
    if measured:
        lines.append(_line(measured, cell, _NOTE))
    return (*lines, *_warning_lines(warnings, cell))


def height_of(lines: Sequence[Line]) -> int:
    """Return how many pixels a caption takes below its picture."""
    return sum(line.height for line in lines) + 8


def draw_caption(pen: ImageDraw.ImageDraw, lines: Sequence[Line], left: int, top: int) -> None:
    """Draw a caption from these pixels on."""
    for line in lines:
        pen.text((left, top), line.text, fill=line.ink, font=line.font)
        top += line.height


def _line(text: str, cell: int, size: float, ink: Colour = _INK) -> Line:
    """Set a line, smaller where it would run into the next cell."""
    font = ImageFont.load_default(cell * size)
    width = font.getlength(text)
    if width > cell:
        font = ImageFont.load_default(cell * size * cell / width * 0.99)
    return Line(text, font, round(cell * size * _SPACING), ink)


def _warning_lines(warnings: Sequence[str], cell: int) -> list[Line]:
    font = ImageFont.load_default(cell * _WARNING)
    texts = [text for sentence in warnings for text in _wrapped(f"! {sentence}", font, cell)]
    if len(texts) > _MAX_WARNING_LINES:
        texts = [*texts[: _MAX_WARNING_LINES - 1], f"{texts[_MAX_WARNING_LINES - 1][:-2]} …"]
    return [_line(text, cell, _WARNING, _WARNING_INK) for text in texts]


def _wrapped(text: str, font: Font, width: int) -> Iterator[str]:
    """Break a text between words; a word that is wider than the line gets a line of its own."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and font.getlength(longer) > width:
            yield line
            longer = word
        line = longer
    if line:
        yield line
