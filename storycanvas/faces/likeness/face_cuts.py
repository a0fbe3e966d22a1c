"""The part of a picture around a face, small enough that many of them stay in memory."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from storycanvas.faces.measures.measure import Bytes, LandmarkedFace
from storycanvas.faces.measures.notes.sharpness import face_sharpness
from storycanvas.faces.pictures.boxes import widened
from storycanvas.faces.pictures.sizes import GOOD_PICTURE, SMALLEST_FACE

LONGEST_SIDE = 512
"""Pixels: a cut takes 0.8 MB at most, whatever the picture had."""

_AROUND = 0.5
"""Shares of the face's box around it: recognisers look at hair and chin, too."""


@dataclass(frozen=True, eq=False)
class FaceCut:
    """A face with what lies around it.

    Attributes:
        rgb: Height x width x 3.
        face: The face, in pixels of `rgb`.
        side: Shorter side of the face in pixels of the whole picture.
        sharpness: Of the face at the size of a swapper's grid, see
            `storycanvas.faces.measures.notes.sharpness`; None where it is too small or flat.
        fine_sharpness: Of a face of `GOOD_PICTURE` pixels and more, at that size; None of others.
    """

    rgb: Bytes
    face: LandmarkedFace
    side: int
    sharpness: float | None
    fine_sharpness: float | None


def cut_face(rgb: Bytes, face: LandmarkedFace) -> FaceCut:
    """Cut a face out of a picture, reduced to `LONGEST_SIDE` where it is larger.

    Args:
        rgb: The picture, height x width x 3.
        face: One of its faces.
    """
    x, y, width, height = widened(face.box, _AROUND, (rgb.shape[1], rgb.shape[0]))
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    part = cv2.resize(rgb[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA)
    moved = (face.points - np.array([x, y, 0], np.float32)) * np.float32(scale)
    left, top, wide, high = face.box
    box = (
        round((left - x) * scale),
        round((top - y) * scale),
        max(1, round(wide * scale)),
        max(1, round(high * scale)),
    )
    side = min(wide, high)
    return FaceCut(
        np.ascontiguousarray(part),
        replace(face, box=box, points=moved),
        side,
        _sharpness(rgb, face, SMALLEST_FACE),
        _sharpness(rgb, face, GOOD_PICTURE) if side >= GOOD_PICTURE else None,
    )


def _sharpness(rgb: Bytes, face: LandmarkedFace, max_width: int) -> float | None:
    found = face_sharpness(rgb, face, max_width)
    return None if found is None else round(found, 3)
