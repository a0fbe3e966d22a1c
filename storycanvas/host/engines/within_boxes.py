"""Keeping what lies outside of the faces that a swap works on.

Engines lay a face back over a square that goes by the eyes and not by the box; FaceFusion's side is
3.6 times their distance (3.8.1, `face_helper.py`, `arcface_128`). In a picture of several persons
it reaches the face beside it.
"""

from dataclasses import replace

import numpy as np
from PIL import Image

from storycanvas.faces.operations import FaceOperation, SwapOperation
from storycanvas.faces.pictures.boxes import Box, box_of, widened
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.engines.engine import EngineResult

ROOM = 0.15
"""Share of a box's width and height that may change beyond each of its edges."""


def kept_outside(operation: FaceOperation, result: EngineResult, target: Picture) -> EngineResult:
    """Take back what changed outside of the widened boxes, if the operation wants that.

    Within a box the result is the engine's; from its edge on it fades into the target.

    Args:
        operation: What was done.
        result: What the engine gave.
        target: The picture that was worked on.
    """
    wanted = isinstance(operation, SwapOperation) and operation.within_box
    if not wanted or result.picture is None:
        return result
    found = [box_of(result.faces[place]) for place in result.chosen]
    changed = result.picture.image
    kept = target.image.copy()
    for box in [operation.face_box] if operation.face_box else found:
        x, y, width, height = area = widened(box, ROOM, kept.size)
        part = changed.crop((x, y, x + width, y + height))
        kept.paste(part, (x, y), _fading(area, box))
    profile = changed.info.get("icc_profile")
    kept.info = {} if profile is None else {"icc_profile": profile}
    picture = Picture.of_image(kept)
    picture.notes = result.picture.notes
    return replace(result, picture=picture)


def _fading(area: Box, box: Box) -> Image.Image:
    """Draw how much of the result is seen in an area: all of it within the box, none at its rim."""
    across = _shares(area[2], box[0] - area[0], area[0] + area[2] - box[0] - box[2])
    down = _shares(area[3], box[1] - area[1], area[1] + area[3] - box[1] - box[3])
    return Image.fromarray(np.rint(255 * np.minimum.outer(down, across)).astype(np.uint8))


def _shares(length: int, before: int, after: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Rise from 0 to 1 over the pixels before a box, and fall over those after it."""
    middles = np.arange(length) + 0.5
    rise = middles / before if before > 0 else np.ones(length)
    fall = (length - middles) / after if after > 0 else np.ones(length)
    return np.clip(np.minimum(rise, fall), 0, 1)
