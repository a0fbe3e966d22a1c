"""How sharp a part of a picture is, whatever it shows."""

import math

import cv2
import numpy as np

from storycanvas.faces.measures.measure import Bytes, Floats, LandmarkedFace
from storycanvas.faces.measures.notes.regions import MIN_PIXELS, FaceView, Mask

_COMPARED_WIDTH = 256
"""Pixels of a face's width above which it is reduced to be compared with its surroundings."""

_FINE, _COARSE = 0.8, 8.0
"""Gaussian blurs in pixels: details that the first removes, and those between both."""
_MIN_DETAIL = 0.5
"""Strength of the coarse details below which a part is flat: neither sharp nor soft."""


def sharpness(lightness: Floats, part: Mask) -> float | None:
    """Compare the finest details of a part with its coarser ones.

    Photographs have about as much of either until they are blurred or enlarged: what a picture
    shows hardly matters. Enlarging to twice the size halves it.

    Args:
        lightness: Lightness of each pixel, 0 to 100, height x width.
        part: What counts of it.

    Returns:
        0 and more; 0.21 to 0.36 for a sharp photograph. None where the part is too small or flat.
    """
    if int(part.sum()) < MIN_PIXELS:
        return None
    left, top, width, height = cv2.boundingRect(part.astype(np.uint8))
    rows, columns = slice(top, top + height), slice(left, left + width)
    seen, inside = lightness[rows, columns], part[rows, columns]
    soft = _blurred(seen, inside, _FINE)
    fine = _strength(seen - soft, inside)
    coarse = _strength(soft - _blurred(seen, inside, _COARSE), inside)
    return fine / coarse if coarse >= _MIN_DETAIL else None


def face_sharpness(rgb: Bytes, face: LandmarkedFace, max_width: int) -> float | None:
    """Measure the sharpness of a face.

    Args:
        rgb: Height x width x 3.
        face: The face in it.
        max_width: Pixels of its width that what works on it makes use of: a wider face is reduced
            to them, and is sharp where it is then.

    Returns:
        As `sharpness`; None where the face is too small or flat.
    """
    view = FaceView.around(rgb, face, max_width)
    return sharpness(view.grey, view.face())


def relative_sharpness(rgb: Bytes, face: LandmarkedFace) -> float | None:
    """Divide the sharpness of a face by that of its surroundings; None without either."""
    view = FaceView.around(rgb, face, _COMPARED_WIDTH)
    inside = sharpness(view.grey, view.face())
    around = sharpness(view.grey, view.surroundings())
    return None if inside is None or not around else inside / around


def _blurred(lightness: Floats, part: Mask, sigma: float) -> Floats:
    """Blur a part by itself: an edge beside it, such as that of a hood, is none of its details."""
    weights = part.astype(np.float32)
    summed = _soft(lightness * weights, sigma)
    return np.asarray(summed / np.maximum(_soft(weights, sigma), 1e-6), np.float32)


def _soft(values: Floats, sigma: float) -> Floats:
    """Blur; a wide blur is done at a smaller size, for speed."""
    height, width = values.shape
    shrink = max(1, int(sigma / 2))
    size = max(1, width // shrink), max(1, height // shrink)
    small = values if shrink == 1 else cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    return np.asarray(small if shrink == 1 else cv2.resize(small, (width, height)), np.float32)


def _strength(details: Floats, part: Mask) -> float:
    return math.sqrt(float(np.square(details[part]).mean()))
