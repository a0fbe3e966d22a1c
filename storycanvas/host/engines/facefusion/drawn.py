"""Reading what FaceFusion's face debugger drew, the only thing that a command line tells of faces.

It draws without smoothing, so lines have their very colours, and PNG keeps them.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from storycanvas.faces.errors import EngineFailed
from storycanvas.faces.pictures.reading import Picture, normal_form
from storycanvas.host.engines.facefusion.box_outlines import LIGHT, RED, Corners, Drawing, Pen, pens
from storycanvas.host.engines.facefusion.drawn_boxes import read_boxes
from storycanvas.host.engines.facefusion.drawn_lines import (
    Bytes,
    DrawnPart,
    Flags,
    colours_of,
    drawn_parts,
    line_scale,
    of_colours,
)
from storycanvas.host.engines.facefusion.drawn_regions import enclosed

_CONTOURS = ((0, 255, 0), (0, 255, 255), (255, 165, 0))
"""By how sure FaceFusion is of the face's points; the last is of 3.7 and newer."""

_THICKNESS_BEFORE_3_7 = 2


@dataclass(frozen=True, order=True)
class Box:
    """The box of a face, in whole pixels, cut at the picture's edges.

    Attributes:
        x: First column.
        y: First row.
        width: At least 1.
        height: At least 1.
    """

    x: int
    y: int
    width: int
    height: int


def drawn_boxes(original: Picture, drawn: Picture) -> tuple[Box, ...]:
    """Read the boxes off a picture that `--face-debugger-items bounding-box` made.

    What is read, drawn again, gives exactly what was drawn; else nothing is answered.

    Args:
        original: The picture before.
        drawn: The picture with boxes.

    Returns:
        The boxes from left to right, two equal ones as one; none if nothing was drawn.

    Raises:
        EngineFailed: The sizes differ, or what was drawn cannot be read as boxes for certain.
    """
    pixels, changed = colours_of(original, drawn)
    lines = of_colours(pixels, (RED, LIGHT))
    wanted = drawn_parts(lines, changed)
    for pen in pens(original.height):
        read = [_boxes(pixels, part, changed, pen) for part in wanted]
        if None not in read:
            return tuple(sorted({box for boxes in read for box in boxes or ()}))
    raise EngineFailed(
        f"The boxes that FaceFusion drew in {len(wanted)} places cannot be told apart; send a part "
        "of the picture with fewer faces."
    )


def drawn_mask(original: Picture, drawn: Picture) -> Picture:
    """Read the mask off a picture that `--face-debugger-items face-mask` made.

    A mask that lies wholly inside of another face's mask looks like a hole in it, and is read so.

    Args:
        original: The picture before.
        drawn: The picture with contours.

    Returns:
        White inside of the contours, black outside, RGB, of the same size.

    Raises:
        EngineFailed: The sizes differ, or lines of the debugger enclose nothing.
    """
    pixels, changed = colours_of(original, drawn)
    colours = tuple(each for each in _CONTOURS if (of_colours(pixels, (each,)) & changed).any())
    lines = np.zeros_like(changed)
    for part in drawn_parts(of_colours(pixels, colours), changed):
        lines[part.rows, part.columns] |= part.lines
    inside = enclosed(lines, max(line_scale(original.height), _THICKNESS_BEFORE_3_7))
    if not inside.any():
        raise EngineFailed(
            "The contours that FaceFusion drew enclose nothing, so the mask of this face is empty; "
            "choose other mask types."
        )
    return normal_form(Image.fromarray(inside.astype(np.uint8) * 255).convert("RGB"))


def _boxes(pixels: Bytes, part: DrawnPart, changed: Flags, pen: Pen) -> tuple[Box, ...] | None:
    """Read one connected part; None if it is not boxes drawn with this pen."""
    height, width = changed.shape
    left, top = part.columns.start, part.rows.start
    cut = (part.rows, part.columns)
    edges = (left == 0, top == 0, part.columns.stop == width, part.rows.stop == height)
    drawing = Drawing(
        pixels[cut],
        part.lines,
        changed[cut] & part.lines,
        edges,
        (-left, -top, width - left, height - top),
    )
    found = read_boxes(drawing, pen)
    if found is None:
        return None
    return tuple(_box(corners, (left, top), (width, height)) for corners in found)


def _box(corners: Corners, offset: tuple[int, int], size: tuple[int, int]) -> Box:
    left, right = (min(max(edge + offset[0], 0), size[0]) for edge in corners[::2])
    top, bottom = (min(max(edge + offset[1], 0), size[1]) for edge in corners[1::2])
    x, y = min(left, size[0] - 1), min(top, size[1] - 1)
    return Box(x, y, max(1, right - x), max(1, bottom - y))
