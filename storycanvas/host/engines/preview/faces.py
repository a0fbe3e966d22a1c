"""Finding faces by their 468 points, ordering them, and telling one from another."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from storycanvas.faces.measures.landmarks import MeshFinder, landmarked
from storycanvas.faces.measures.measure import Bytes, Floats, LandmarkedFace
from storycanvas.faces.operations import DetectorAngle, FaceSelectorOrder
from storycanvas.faces.pictures.boxes import overlap
from storycanvas.host.engines.preview.frame import Face, blurred

_RANKS: dict[FaceSelectorOrder, Callable[[Face], float]] = {
    FaceSelectorOrder.LEFT_RIGHT: lambda face: face.box[0],
    FaceSelectorOrder.RIGHT_LEFT: lambda face: -face.box[0] - face.box[2],
    FaceSelectorOrder.TOP_BOTTOM: lambda face: face.box[1],
    FaceSelectorOrder.BOTTOM_TOP: lambda face: -face.box[1] - face.box[3],
    FaceSelectorOrder.SMALL_LARGE: lambda face: face.box[2] * face.box[3],
    FaceSelectorOrder.LARGE_SMALL: lambda face: -face.box[2] * face.box[3],
    FaceSelectorOrder.BEST_WORST: lambda face: -face.score,
    FaceSelectorOrder.WORST_BEST: lambda face: face.score,
}


def in_order(faces: list[Face], order: FaceSelectorOrder) -> list[Face]:
    """Sort faces by a selector order; ties go to the leftmost, then the topmost."""
    return sorted(faces, key=lambda face: (_RANKS[order](face), face.box))


_LIKENESS_SIDE = 32
_LIKENESS = (-1.0 - 0.6j, 1.0 + 1.6j)
"""Two corners of the part of a face that is compared, in face coordinates."""


def distance(face: Face, rgb: Bytes, other: Face, other_rgb: Bytes) -> float:
    """Compare two faces by their pattern of light and dark; 0 is the same picture of a face.

    Returns:
        0 to 1, as FaceFusion measures it between its own descriptions of faces.
    """
    first, second = (_pattern(*seen) for seen in ((face, rgb), (other, other_rgb)))
    return float(1 - (first * second).mean()) / 2


def _pattern(face: Face, rgb: Bytes) -> Floats:
    """Light of a face at the same places of every face, with mean 0 and spread 1."""
    low, high = _LIKENESS
    across = np.linspace(low.real, high.real, _LIKENESS_SIDE)
    down = np.linspace(low.imag, high.imag, _LIKENESS_SIDE)
    sigma = face.unit / _LIKENESS_SIDE
    light = blurred(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32), sigma)
    places = face.origin + face.axis * (across[None, :] + 1j * down[:, None])
    x, y = places.real.astype(np.float32), places.imag.astype(np.float32)
    seen = cv2.remap(light, x, y, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
    return np.asarray((seen - seen.mean()) / max(float(seen.std()), 1e-3), np.float32)


_SAME_FACE = 0.4
_MOST_TILTED = 60
"""Degrees by which a head may be tilted to be found at an angle."""
_LEAST_FIT = 0.95
"""A head that stands on its head is seen with 0.92 as another one that does not."""


class FaceFinder:
    """Finds faces; safe to share between threads."""

    def __init__(self) -> None:
        self._points = MeshFinder()

    def find(self, rgb: Bytes, angles: Sequence[DetectorAngle] = (0,)) -> list[Face]:
        """Find the faces of a picture.

        Args:
            rgb: Height x width x 3.
            angles: Degrees by which the picture is turned to the left to be searched.

        Returns:
            The faces; one that is seen at several angles once, as it is seen best.
        """
        seen: list[Face] = []
        for angle in angles:
            turned = np.ascontiguousarray(np.rot90(rgb, angle // 90))
            seen += [
                Face(_turned_back(face, angle, rgb.shape[:2]))
                for face in self._points.find(turned)
                if abs(face.roll) < _MOST_TILTED and face.fit > _LEAST_FIT
            ]
        best: list[Face] = []
        for face in sorted(seen, key=lambda face: -face.score):
            if all(overlap(face.box, other.box) < _SAME_FACE for other in best):
                best.append(face)
        return best


def _turned_back(
    face: LandmarkedFace, angle: DetectorAngle, size: tuple[int, ...]
) -> LandmarkedFace:
    """Move a face of a picture that was turned to the left back to the picture of this size."""
    (bottom, right), (x, y, depth) = (side - 1 for side in size), face.points.T
    back = {0: (x, y), 90: (right - y, x), 180: (right - x, bottom - y), 270: (y, bottom - x)}
    points = np.stack([*back[angle], depth], 1)
    return landmarked(face.fit, np.asarray(points, np.float32), size)
