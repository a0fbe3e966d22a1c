"""Boxes read off the red lines of FaceFusion's face debugger, overlapping ones too."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from storycanvas.host.engines.facefusion.box_outlines import (
    Corners,
    Drawing,
    Outline,
    Pen,
    outlines,
)
from storycanvas.host.engines.facefusion.drawn_lines import Bytes, Flags

_MAX_BOXES = 5
_MAX_OUTLINES = 60


def read_boxes(part: Drawing, pen: Pen) -> tuple[Corners, ...] | None:
    """Find the fewest boxes that, drawn in some order, give exactly this part.

    Where as few others do as well, none are given rather than the wrong ones.

    Args:
        part: A connected part of a drawing.
        pen: What it may be drawn with.

    Returns:
        The boxes in the part's own coordinates; None if no 5 boxes give it, or others may.
    """
    fitting = (each for each in outlines(part, pen) if part.lines[each.where].all())
    candidates = list(islice(fitting, _MAX_OUTLINES + 1))
    if len(candidates) > _MAX_OUTLINES or _left_open(part, candidates):
        return None
    for count in range(1, _MAX_BOXES + 1):
        covers = _covers(part.changed.copy(), candidates, count)
        read = {frozenset(chosen) for chosen in covers if _explains(chosen, part)}
        if read:
            return tuple(each.corners for each in read.pop()) if len(read) == 1 else None
    return None


def _left_open(part: Drawing, candidates: list[Outline]) -> bool:
    open_pixels = part.changed.copy()
    for outline in candidates:
        open_pixels[outline.where] = False
    return bool(open_pixels.any())


def _covers(
    open_pixels: Flags, candidates: list[Outline], count: int
) -> Iterator[tuple[Outline, ...]]:
    """Go through the sets of so many outlines that leave no pixel open."""
    first = int(open_pixels.argmax())
    row, column = divmod(first, open_pixels.shape[1])
    if not open_pixels[row, column]:
        yield ()
        return
    for outline in candidates if count else ():
        rows, columns = outline.where
        if ((rows == row) & (columns == column)).any():
            rest = open_pixels.copy()
            rest[outline.where] = False
            yield from ((outline, *more) for more in _covers(rest, candidates, count - 1))


def _explains(chosen: tuple[Outline, ...], part: Drawing) -> bool:
    """Take the outlines off from the last drawn, which nothing hides, to the first."""
    hidden = np.zeros_like(part.lines)
    left = list(chosen)
    while left:
        last = next((each for each in left if _shows(each, part.pixels, hidden)), None)
        if last is None:
            return False
        hidden[last.where] = True
        left.remove(last)
    return True


def _shows(outline: Outline, pixels: Bytes, hidden: Flags) -> bool:
    right = (pixels[outline.where] == outline.colours).all(axis=1)
    return bool((right | hidden[outline.where]).all())
