"""Finding faces with the Haar cascades that come with OpenCV.

A cascade sees faces in curtains and clouds, so two different ones have to agree on each face.
"""

import threading
from collections.abc import Callable

import cv2
import cv2.data
import numpy as np

from storycanvas.faces.operations import FaceOperation, FaceSelectorMode, FaceSelectorOrder
from storycanvas.host.engines.preview.frame import Bytes, Face, Floats, View, blurred, to_lab

YOUNGEST, OLDEST = 1.0, 95.0
_COLOURLESS = 3.0
"""Chroma of the skin below which a picture is black and white, and its colours mean nothing."""


def estimated_age(view: View) -> float:
    """Guess the age of a face from the texture of its skin and the colours of skin and hair.

    Good for ordering pictures of one person, not for the truth: a sharper photograph of the same
    face, or a grey curtain above it, counts as years. It measures what ageing changes here, so an
    aged face comes out older and a rejuvenated one younger, until the ends of the scale.

    Returns:
        Years, 1 to 95, to one decimal.
    """
    texture, skin, hair = measures(view)
    away = 36 * np.log2(texture / 5.74)
    if skin > _COLOURLESS:
        away -= 0.9 * (skin - 26.2) + 0.8 * (hair - 33.4)
    years = 30 + away if away > 0 else 30 * np.exp(away / 36)
    return round(float(np.clip(years, YOUNGEST, OLDEST)), 1)


def measures(view: View) -> tuple[float, float, float]:
    """Measure what the estimate goes by, so that the light on the face does not matter.

    Returns:
        Fine contrast of the skin (above 0), chroma of the skin and chroma of the hair, each in
        percent of the lightness of the skin.
    """
    lab, unit = to_lab(view.rgb), view.face.unit
    light = lab[:, :, 0]
    skin = _bare_skin(view)
    band = np.abs(blurred(light, 0.025 * unit) - blurred(light, 0.12 * unit))
    chroma = np.hypot(lab[:, :, 1], lab[:, :, 2])
    exposure = max(_mean(light, skin), 1.0) / 100
    texture = max(_mean(band, skin), 0.001) / exposure
    hair = _mean(chroma, view.oval(-1.15j, 1.0 + 0.45j)) / exposure
    return texture, _mean(chroma, skin) / exposure, hair


def _bare_skin(view: View) -> Floats:
    """Weights of the cheeks, the corners of the eyes and the chin."""
    eyes, mouth = view.pair(0.5 - 0.06j, 0.42 + 0.30j, 0.2), view.oval(1.0j, 0.62 + 0.28j, 0.2)
    nose = view.oval(0.55j, 0.34 + 0.28j, 0.2)
    bare = view.oval(0.75j, 0.88 + 0.85j, 0.2)
    return np.asarray(bare * (1 - np.minimum(eyes, 1)) * (1 - mouth) * (1 - nose), np.float32)


def _mean(values: Floats, weights: Floats) -> float:
    return float((values * weights).sum() / max(float(weights.sum()), 1e-6))


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


def selected(faces: list[Face], operation: FaceOperation) -> list[Face]:
    """Choose the faces to work on out of those in selector order.

    `many` and `all` mean all of them, `one` the first. `reference` means the first as well: this
    engine cannot tell people apart, and one face too few is safer than one too many.
    """
    if operation.face_selector_mode in {FaceSelectorMode.MANY, FaceSelectorMode.ALL}:
        return faces
    return faces[:1]


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
