"""Whether something covers the lower half of a face, which landmarks fit all the same."""

import cv2
import numpy as np

from storycanvas.faces.likeness.face_cuts import FaceCut
from storycanvas.faces.measures.measure import Floats

_UPPER = (6, 9, 151, 168, 117, 346)
"""Bridge of the nose, forehead and below the eyes; numbers as in MediaPipe's canonical face."""
_LOWER = (1, 4, 5, 195, 50, 280)
"""Ridge and tip of the nose, and cheeks beside it: no beard grows there, and a mask covers it."""

COVERED = 12.0
"""Distance of a*b* between both from which on something covers the face: 3 on the two sample
pictures at any size, 17 to 49 with a mask of white, black, blue or red painted on them."""

_PATCH = 0.03
"""Half the side of the square around a point whose colour is taken, in widths of the face."""


def colour_step(cut: FaceCut) -> float:
    """Measure how far the colour of a nose is from that of the skin above it, in a*b*."""
    upper, lower = _colour(cut, _UPPER), _colour(cut, _LOWER)
    return float(np.hypot(*(upper - lower)))


def _colour(cut: FaceCut, points: tuple[int, ...]) -> Floats:
    """Return the median a* and b* around points of a face."""
    reach = max(1, round(cut.face.box[2] * _PATCH))
    found = []
    for x, y in cut.face.points[list(points), :2]:
        left, top = max(0, round(float(x)) - reach), max(0, round(float(y)) - reach)
        patch = cut.rgb[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
        if patch.size:
            shares = patch.astype(np.float32) / np.float32(255)
            found.append(cv2.cvtColor(shares, cv2.COLOR_RGB2Lab).reshape(-1, 3)[:, 1:])
    if not found:
        return np.zeros(2, np.float32)
    return np.asarray(np.median(np.concatenate(found), axis=0), np.float32)
