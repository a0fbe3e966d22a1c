"""Cutting a photo of several persons to the face that is meant, before it is sent.

An operation chooses the face that it changes, and not the one that a source picture gives:
FaceFusion takes the largest one there (3.8.1, `face_swapper/core.py`, `extract_source_face`). So
the picture that is sent shows one face. The face itself keeps every pixel, and so do templates,
which are never cut.
"""

from collections.abc import Sequence

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.pictures.boxes import Box, box_of, widened

ROOM = 1.0
"""Share of the face's width and height that is left on each side, for hair, chin and detector."""


def source_cut(
    face: DetectedFace, faces: Sequence[DetectedFace], size: tuple[int, int]
) -> Box | None:
    """Find the part of a photo that shows one of its faces; None is all of it.

    It is the box of the face, widened generously, as far as no other face begins; where boxes
    overlap, it ends in the middle of what they share.

    Args:
        face: The face that is meant.
        faces: All faces of the photo.
        size: Width and height of the photo.
    """
    others = [box_of(other) for other in faces if other is not face and other != face]
    if not others:
        return None
    own = box_of(face)
    left, top, width, height = widened(own, ROOM, size)
    edges = [left, top, left + width, top + height]
    for other in others:
        side, border = _border(own, other)
        edges[side] = max(edges[side], border) if side < 2 else min(edges[side], border)  # noqa: PLR2004 - left and top
    return edges[0], edges[1], edges[2] - edges[0], edges[3] - edges[1]


def _border(own: Box, other: Box) -> tuple[int, int]:
    """Find the side on which another face is farthest away, and where to cut there.

    Returns:
        0 to 3 for left, top, right and bottom, and the pixel of the new edge.
    """
    mine = own[0], own[1], own[0] + own[2], own[1] + own[3]
    theirs = other[0] + other[2], other[1] + other[3], other[0], other[1]
    gaps = [mine[0] - theirs[0], mine[1] - theirs[1], theirs[2] - mine[2], theirs[3] - mine[3]]
    side = max(range(4), key=gaps.__getitem__)
    return side, theirs[side] if gaps[side] >= 0 else (theirs[side] + mine[side]) // 2
