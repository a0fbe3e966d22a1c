"""Where the skin of a face is, and what lies around the face, by its 468 points."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from storycanvas.faces.measures.measure import Bytes, Floats, LandmarkedFace

Mask = NDArray[np.bool_]
"""Height x width."""

COLOUR_WIDTH = 96
"""Pixels of a face's width that light and colour are measured at; a narrower face is as it is."""

MIN_PIXELS = 200
"""Of a part of a face below which nothing is measured of it."""

_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""Outline of a face, point by point. Numbers as in MediaPipe's face_mesh_connections."""
_EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 46, 53, 52, 65, 55, 107, 66, 105, 63, 70),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 276, 283, 282, 295, 285, 336, 296, 334, 293, 300),
)
"""Lower lid and brow of each eye."""
_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_SIDES = (234, 454)
"""Where the outline is on the left and on the right of an upright picture."""

_INNER, _BESIDE, _AROUND = 0.75, 1.08, 1.5
"""Sizes of outlines beside the face's own, in which hair hangs and the edge of a swap lies."""
_FEATURE = 1.15
_WHOLE = 0.8
"""Share of the outline that lies in the picture."""
_MARGIN = 0.3
"""Of a view around the face on each side, in sizes of the face."""


@dataclass(frozen=True)
class FaceView:
    """The part of a picture around a face.

    Attributes:
        rgb: Its pixels, height x width x 3; reduced where the face is wider than wanted.
        points: The face's 468 points in it, x and y in pixels.
    """

    rgb: Bytes
    points: Floats

    @classmethod
    def around(cls, rgb: Bytes, face: LandmarkedFace, max_width: int) -> "FaceView":
        """Cut a face out of a picture.

        Args:
            rgb: Height x width x 3.
            face: The face in it.
            max_width: Pixels of the face's width above which the part is reduced to it.
        """
        points = face.points[:, :2]
        low, high = points[list(_OVAL)].min(0), points[list(_OVAL)].max(0)
        size, limits = high - low, np.array(rgb.shape[1::-1])
        left, top = np.clip(np.floor(low - _MARGIN * size), 0, limits - 1).astype(int)
        right, bottom = np.clip(np.ceil(high + _MARGIN * size), (left + 1, top + 1), limits)
        part = rgb[top : int(bottom), left : int(right)]
        scale = min(1.0, max_width / max(float(size[0]), 1.0))
        placed = (points - (left, top)) * scale
        return cls(_reduced(part, scale), placed.astype(np.float32))

    @cached_property
    def lab(self) -> Floats:
        """CIE L*a*b* of each pixel: L* 0 to 100, a* and b* about -127 to 127."""
        shares = self.rgb.astype(np.float32) / np.float32(255)
        return np.asarray(cv2.cvtColor(shares, cv2.COLOR_RGB2Lab), np.float32)

    @property
    def lightness(self) -> Floats:
        """L* of each pixel."""
        return self.lab[:, :, 0]

    @property
    def grey(self) -> Floats:
        """Lightness of each pixel, 0 to 100, at a tenth of the cost of L*."""
        luma = cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY)
        return luma.astype(np.float32) * np.float32(100 / 255)

    @property
    def across(self) -> tuple[Floats, float]:
        """Direction from the face's left edge in the picture to its right one, and its width."""
        first, second = self.points[list(_SIDES)]
        width = max(float(np.hypot(*(second - first))), 1.0)
        return (second - first) / np.float32(width), width

    @property
    def is_whole(self) -> bool:
        """Whether nearly all of the face lies in the picture."""
        outline, limits = self.points[list(_OVAL)], self.rgb.shape[1::-1]
        inside = ((outline >= 0) & (outline < limits)).all(1)
        return float(inside.mean()) >= _WHOLE

    def face(self) -> Mask:
        """Mark the face without its edge."""
        return self._within(self.points[list(_OVAL)], _INNER)

    def skin(self) -> Mask:
        """Mark the skin of the face: all of it but its edge, its eyes with their brows, its mouth.

        A beard, a pair of glasses and a mask count as skin.
        """
        skin = self.face() & ~self._within(self.points[list(_LIPS)], _FEATURE)
        for eye in _EYES:
            hull = np.asarray(cv2.convexHull(self.points[list(eye)])[:, 0], np.float32)
            skin &= ~self._within(hull, _FEATURE)
        return skin

    def surroundings(self) -> Mask:
        """Mark what is around the face: forehead, ears, neck, and hair and background there."""
        outline = self.points[list(_OVAL)]
        return self._within(outline, _AROUND) & ~self._within(outline, _BESIDE)

    def _within(self, outline: Floats, size: float) -> Mask:
        """Mark what lies within an outline, made larger or smaller from its middle."""
        middle = (outline.min(0) + outline.max(0)) / 2
        corners = np.rint((outline - middle) * np.float32(size) + middle).astype(np.int32)
        marked = np.zeros(self.rgb.shape[:2], np.uint8)
        cv2.fillPoly(marked, [corners], 1)
        return np.asarray(marked, np.bool_)


def _reduced(part: Bytes, scale: float) -> Bytes:
    if scale >= 1:
        return part
    height, width = part.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
