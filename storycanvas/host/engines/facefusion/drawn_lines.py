"""Lines as FaceFusion's face debugger draws them, found by what they changed and their colour."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from storycanvas.faces.errors import EngineFailed
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.engines.facefusion.pixels import opened

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Colour = tuple[int, int, int]

_ROWS_OF_A_LINE = 270
_THICKEST = 10
_NOTHING: Colour = (0, 0, 0)


@dataclass(frozen=True)
class DrawnPart:
    """Connected pixels of lines.

    Attributes:
        rows: The picture's rows that they lie in.
        columns: Its columns.
        lines: Which pixels of these rows and columns they are.
    """

    rows: slice
    columns: slice
    lines: Flags


def line_scale(height: int) -> int:
    """Give the thickness that FaceFusion 3.7 to 3.8.1 draws with, for a height in pixels."""
    return max(1, min(_THICKEST, round(height / _ROWS_OF_A_LINE)))


def reach(thickness: int) -> int:
    """Give how many pixels OpenCV's line reaches to each side of its middle."""
    return 0 if thickness <= 1 else (thickness + 1) // 2


def colours_of(original: Picture, drawn: Picture) -> tuple[Bytes, Flags]:
    """Read what was drawn.

    Args:
        original: The picture before.
        drawn: The same with lines.

    Returns:
        The colours of `drawn`, as rows, columns, RGB; and which of its pixels were changed.

    Raises:
        EngineFailed: The sizes differ.
    """
    before, after = opened(original), opened(drawn)
    if before.size != after.size:
        raise EngineFailed(
            f"FaceFusion drew on {after.width} x {after.height} pixels where "
            f"{before.width} x {before.height} were due."
        )
    pixels = np.asarray(after.convert("RGB"))
    differences = cv2.absdiff(pixels, np.asarray(before.convert("RGB")))
    return pixels, np.asarray(cv2.inRange(differences, _NOTHING, _NOTHING)) == 0


def of_colours(pixels: Bytes, colours: tuple[Colour, ...]) -> Flags:
    """Mark the pixels that have one of some colours exactly."""
    found = np.zeros(pixels.shape[:2], np.bool_)
    for colour in colours:
        found |= np.asarray(cv2.inRange(pixels, colour, colour)) > 0
    return found


def drawn_parts(coloured: Flags, changed: Flags) -> tuple[DrawnPart, ...]:
    """Part coloured pixels into connected parts, and give those that were drawn.

    A line over pixels that had its colour before changes nothing there, so parts are told by their
    colour, and a part counts as drawn where any of its pixels was changed.

    Args:
        coloured: Pixels of the lines' colours.
        changed: Pixels that differ from the original.

    Raises:
        EngineFailed: Something else than such lines was changed.
    """
    strange = np.count_nonzero(changed & ~coloured)
    if strange:
        raise EngineFailed(
            f"FaceFusion changed {strange} pixels in other colours than its face debugger draws "
            "in; use a supported release, 3.5 to 3.8."
        )
    _, parts, stats, _ = cv2.connectedComponentsWithStats(coloured.astype(np.uint8), connectivity=8)
    labels, places = np.asarray(parts, np.int32), np.asarray(stats, np.int32)
    return tuple(
        _drawn_part(labels, int(number), places[number]) for number in np.unique(labels[changed])
    )


def _drawn_part(labels: NDArray[np.int32], number: int, place: NDArray[np.int32]) -> DrawnPart:
    left, top, width, height = (int(value) for value in place[:4])
    rows, columns = slice(top, top + height), slice(left, left + width)
    return DrawnPart(rows, columns, labels[rows, columns] == number)
