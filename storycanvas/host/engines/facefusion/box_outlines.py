"""The boxes that FaceFusion's face debugger may have drawn, by the lines that are seen."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import cv2
import numpy as np
from numpy.typing import NDArray

from storycanvas.host.engines.facefusion.drawn_lines import Bytes, Flags, line_scale, reach

RED = (255, 0, 0)
LIGHT = (255, 100, 100)
_OLD = 2
_FULL = 255

Corners = tuple[int, int, int, int]
"""Left, top, right, bottom: the middles of the lines, in pixels; may lie outside of the picture."""


@dataclass(frozen=True)
class Pen:
    """How thick lines are: a box, and the line along its top that is drawn over it.

    Attributes:
        side: Thickness of a box, pixels.
        top: Thickness of the lighter line along its top, pixels.
    """

    side: int
    top: int

    def draw(self, corners: Corners, canvas: Bytes) -> None:
        """Draw a box as FaceFusion 3.5.4 to 3.8.1 does for a face that was found upright."""
        left, top, right, bottom = corners
        cv2.rectangle(canvas, (left, top), (right, bottom), RED, self.side)
        cv2.line(canvas, (left, top), (right, top), LIGHT, self.top)


def pens(height: int) -> tuple[Pen, ...]:
    """Name the pens that releases use on a picture: by its height since 3.7, the same before."""
    scale = line_scale(height)
    return tuple(dict.fromkeys((Pen(scale, scale + 1), Pen(_OLD, _OLD + 1))))


@dataclass(frozen=True)
class Drawing:
    """A connected part of a drawing, cut out.

    Attributes:
        pixels: Its colours, as rows, columns, RGB.
        lines: Which pixels have the colour of a line.
        changed: Which of them have to be explained, because they were changed.
        edges: Whether it touches the picture's left, top, right, bottom edge.
        picture: Where these edges are, in its own coordinates.
    """

    pixels: Bytes
    lines: Flags
    changed: Flags
    edges: tuple[bool, bool, bool, bool]
    picture: Corners


@dataclass(frozen=True, eq=False)
class Outline:
    """The lines of a box as they would be seen in a drawing.

    Attributes:
        corners: In the drawing's own coordinates.
        where: Rows and columns of its pixels.
        colours: Of these pixels, RGB.
    """

    corners: Corners
    where: tuple[NDArray[np.intp], NDArray[np.intp]]
    colours: Bytes

    @property
    def look(self) -> bytes:
        """What is seen of it; boxes that differ outside of the picture only look the same."""
        return b"".join(each.tobytes() for each in (*self.where, self.colours))


def outlines(part: Drawing, pen: Pen) -> Iterator[Outline]:
    """Draw all boxes whose lines may be in a drawing, as far as they can be seen.

    Args:
        part: A connected part of a drawing.
        pen: What it may be drawn with.

    Yields:
        Outlines whose middles have a line's colour all along; no two look the same.
    """
    columns, rows = _long_runs(part, pen, 0), _long_runs(part, pen, 1)
    side, top = reach(pen.side), reach(pen.top)
    far = _far(part, top)
    seen: set[bytes] = set()
    for corners in product(
        _middles(columns, side) | {far[0]},
        _middles(rows, top) | {far[1]},
        _middles(columns, side) | {far[2]},
        _middles(rows, side) | {far[3]},
    ):
        if _may_be(part, corners, far):
            outline = _drawn(corners, pen, part.lines.shape)
            if outline.look not in seen:
                seen.add(outline.look)
                yield outline


def _far(part: Drawing, half: int) -> Corners:
    """Give places outside of the picture that no line can be seen at."""
    left, top, right, bottom = part.picture
    return (left - half - 2, top - half - 2, right + half + 2, bottom + half + 2)


def _may_be(part: Drawing, corners: Corners, far: Corners) -> bool:
    """Look at the middles of the lines only: quick, and refuses nearly all that are none."""
    left, top, right, bottom = corners
    beyond = [mine == theirs for mine, theirs in zip(corners, far, strict=True)]
    sides_end = [
        gone and not part.edges[index] and not (beyond[index - 1] and beyond[index - 3])
        for index, gone in enumerate(beyond)
    ]
    if left >= right or top >= bottom or all(beyond) or any(sides_end):
        return False
    height, width = part.lines.shape
    across = slice(max(left, 0), max(right + 1, 0))
    along = slice(max(top, 0), max(bottom + 1, 0))
    rows = [row for row in (top, bottom) if 0 <= row < height]
    columns = [column for column in (left, right) if 0 <= column < width]
    return bool(part.lines[rows, across].all() and part.lines[along, columns].all())


def _drawn(corners: Corners, pen: Pen, shape: tuple[int, ...]) -> Outline:
    canvas = np.zeros((shape[0], shape[1], 3), np.uint8)
    pen.draw(corners, canvas)
    rows, columns = np.nonzero(canvas[:, :, 0] == _FULL)
    return Outline(corners, (rows, columns), canvas[rows, columns])


def _long_runs(part: Drawing, pen: Pen, axis: int) -> list[tuple[int, int]]:
    """Find the columns (axis 0) or rows (axis 1) that lines run along, as first and last."""
    length = 2 * reach(pen.top) + 3
    kernel = np.ones((length, 1) if axis == 0 else (1, length), np.uint8)
    runs: dict[tuple[int, int], None] = {}
    for flags, beyond in product((part.lines, part.changed), (0, 1)):
        # With 1 a line counts that the edge cuts short; with 0 it stays apart from others.
        drawn = flags.astype(np.uint8)
        eroded = cv2.erode(drawn, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=(beyond,))
        kept = np.asarray(eroded).any(axis=axis)
        steps = np.flatnonzero(np.diff(np.concatenate(([False], kept, [False]))))
        ends = pairwise(int(step) for step in steps)
        runs.update(dict.fromkeys((first, end - 1) for first, end in list(ends)[::2]))
    return list(runs)


def _middles(runs: list[tuple[int, int]], half: int) -> set[int]:
    return {middle for first, last in runs for middle in (first + half, last - half)}
