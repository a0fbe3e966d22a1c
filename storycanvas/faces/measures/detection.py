"""Where faces are, by MediaPipe's BlazeFace for back cameras.

The network looks at 256 x 256 pixels and answers for 896 places (anchors) how surely a face is
there, its box, and six points of it. The places are those of MediaPipe's
`face_detection_back_desktop_live.pbtxt`: two for each cell of 16 pixels, six for each of 32.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from storycanvas.faces.measures.measure import Bytes, Floats
from storycanvas.faces.measures.networks import Network, sigmoid
from storycanvas.faces.measures.weights import FACE_DETECTOR

SIDE = 256
_LAYERS = ((16, 2), (32, 6))
MIN_SCORE = 0.5
"""As in MediaPipe; a face of 40 pixels in 1000 has 0.8."""
SAME_FACE = 0.3
"""Share of the area of two boxes together from which on they are of one face."""
_PLACES = 8
"""Pairs of numbers for each anchor: centre and size of the box, and six points."""


@dataclass(frozen=True)
class FoundFace:
    """A face before its points are known.

    Attributes:
        score: How surely it is one, 0 to 1.
        centre: Of its box, x and y in pixels.
        side: The longer side of its box in pixels.
        roll: Angle of the line of its eyes, clockwise, in radians.
    """

    score: float
    centre: Floats
    side: float
    roll: float


class FaceDetector:
    """Finds faces that are about upright; safe to share between threads."""

    def __init__(self) -> None:
        self._network = Network(FACE_DETECTOR)

    def detect(self, rgb: Bytes) -> list[FoundFace]:
        """Find the faces of a picture, the surest first."""
        height, width = rgb.shape[:2]
        scale = SIDE / max(height, width)
        offset = np.array([(SIDE - width * scale) / 2, (SIDE - height * scale) / 2], np.float32)
        outputs = self._network.run(_letterboxed(rgb, scale, offset) / 127.5 - 1)
        scores, regressors = sorted(outputs, key=lambda output: output.shape[-1])
        scores = sigmoid(scores.reshape(-1))
        sure = np.flatnonzero(scores > MIN_SCORE)
        places = regressors.reshape(-1, _PLACES, 2)[sure]
        places[:, 0] += _anchors()[sure]
        places[:, 2:] += _anchors()[sure][:, None]
        places[:, [0, *range(2, _PLACES)]] -= offset
        return _faces(scores[sure], places / scale)


def _letterboxed(rgb: Bytes, scale: float, offset: Floats) -> Floats:
    """Scale the picture into a square, black at both sides of it."""
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
        reduced = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
        factors = width / rgb.shape[1], height / rgb.shape[0]
    else:
        reduced, factors = rgb, (1.0, 1.0)
    ratios = scale / factors[0], scale / factors[1]
    matrix = np.array([[ratios[0], 0, offset[0]], [0, ratios[1], offset[1]]], np.float32)
    square = cv2.warpAffine(reduced, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return np.asarray(square, np.float32)


@cache
def _anchors() -> Floats:
    """Return the centres of the places, x and y in pixels of the square."""
    layers = []
    for stride, repeats in _LAYERS:
        centres = (np.arange(SIDE // stride) + 0.5) * stride
        y, x = np.meshgrid(centres, centres, indexing="ij")
        layers.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2), repeats, axis=0))
    return np.concatenate(layers).astype(np.float32)


def _faces(scores: Floats, places: Floats) -> list[FoundFace]:
    """Keep the surest of boxes that lie on each other."""
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable"):
        box = _corners(places[index])
        if all(_overlap(box, _corners(places[other])) < SAME_FACE for other in kept):
            kept.append(int(index))
    return [_face(float(scores[index]), places[index]) for index in kept]


def _face(score: float, places: Floats) -> FoundFace:
    across = places[3] - places[2]
    return FoundFace(
        score, places[0], float(places[1].max()), float(np.arctan2(across[1], across[0]))
    )


def _corners(places: Floats) -> Floats:
    return np.stack([places[0] - places[1] / 2, places[0] + places[1] / 2])


def _overlap(first: Floats, second: Floats) -> float:
    sides = np.minimum(first[1], second[1]) - np.maximum(first[0], second[0])
    common = float(np.prod(np.maximum(sides, 0)))
    areas = float(np.prod(first[1] - first[0]) + np.prod(second[1] - second[0]))
    return common / max(areas - common, 1e-6)
