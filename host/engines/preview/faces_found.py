"""Finding faces with the Haar cascades that come with OpenCV.

A cascade sees faces in curtains and clouds, so two different ones have to agree on each face.
"""

import threading

import cv2
import cv2.data
import numpy as np

from host.engines.preview.frame import Face
from host.engines.preview.pixels import Bytes

Box = tuple[int, int, int, int]

_FACE = "haarcascade_frontalface_default.xml"
_SECOND_OPINION = "haarcascade_frontalface_alt2.xml"
_EYE = "haarcascade_eye.xml"
_NEIGHBOURS = 6
_SMALLEST_SHARE = 0.3
_USUAL_EYES = (0.27 + 0.38j, 0.73 + 0.38j)


class FaceFinder:
    """Finds faces; safe to share between threads, which OpenCV's classifiers are not."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def find(self, rgb: Bytes, search_side: int = 640) -> list[Face]:
        """Find the upright frontal faces of a picture.

        Args:
            rgb: Height x width x 3.
            search_side: Larger pictures are searched at this length of their longest side.

        Returns:
            The faces, in no order that means anything.
        """
        shrink = min(1.0, search_side / max(rgb.shape[:2]))
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        small = np.asarray(
            cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
        boxes, scores = self._boxes(small)
        largest = max((box[2] for box in boxes), default=0)
        return [
            self._face(small, box, score, shrink)
            for box, score in zip(boxes, scores, strict=True)
            if box[2] > _SMALLEST_SHARE * largest and self._confirmed(small, box)
        ]

    def _cascade(self, name: str) -> cv2.CascadeClassifier:
        mine: dict[str, cv2.CascadeClassifier] = self._of_thread.__dict__
        if name not in mine:
            mine[name] = cv2.CascadeClassifier(f"{cv2.data.haarcascades}{name}")
        return mine[name]

    def _boxes(self, grey: Bytes) -> tuple[list[Box], list[float]]:
        side = max(24, min(grey.shape) // 14)
        boxes, _, scores = self._cascade(_FACE).detectMultiScale3(
            grey, 1.1, _NEIGHBOURS, minSize=(side, side), outputRejectLevels=True
        )
        return [_box(found) for found in boxes], [float(score) for score in scores]

    def _confirmed(self, grey: Bytes, box: Box) -> bool:
        x, y, side, _ = box
        room = side // 4
        part = grey[max(0, y - room) : y + side + room, max(0, x - room) : x + side + room]
        smallest = int(side * 0.7)
        second = self._cascade(_SECOND_OPINION)
        return len(second.detectMultiScale(part, 1.05, 3, minSize=(smallest, smallest))) > 0

    def _face(self, grey: Bytes, box: Box, score: float, shrink: float) -> Face:
        left, right = (eye / shrink - (0.5 + 0.5j) for eye in self._eyes(grey, box))
        x, y, width, height = (round(edge / shrink) for edge in box)
        return Face((x, y, width, height), score, left, right)

    def _eyes(self, grey: Bytes, box: Box) -> tuple[complex, complex]:
        x, y, side, _ = box
        upper = grey[y + side // 8 : y + side * 5 // 8, x : x + side]
        seen = self._cascade(_EYE).detectMultiScale(
            upper, 1.05, 4, minSize=(side // 6, side // 6), maxSize=(side // 2, side // 2)
        )
        corner = complex(x, y + side // 8)
        middles = [
            corner + complex(ex + width / 2, ey + height / 2)
            for ex, ey, width, height in (_box(eye) for eye in seen)
        ]
        left, right = (complex(x, y) + side * usual for usual in _USUAL_EYES)
        return _nearest(left, middles, side), _nearest(right, middles, side)


def _nearest(usual: complex, seen: list[complex], side: int) -> complex:
    """Take the eye seen nearest to its usual place, or that place when none is near."""
    best = min(seen, key=lambda eye: abs(eye - usual), default=usual)
    return best if abs(best - usual) < side / 8 else usual


def _box(found: object) -> Box:
    x, y, width, height = (int(edge) for edge in np.asarray(found))
    return x, y, width, height
