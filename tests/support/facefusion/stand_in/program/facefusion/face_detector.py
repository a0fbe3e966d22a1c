"""Where faces are: in the middle, and in both halves of a wide picture."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facefusion import inference_manager, state_manager
from facefusion.weights import detectors

DARK = 0.05 * 255
ONE = ((0.5, 0.4, 0.9),)
TWO = ((0.25, 0.4, 0.9), (0.75, 0.5, 0.8))


class Found(NamedTuple):
    """A detected face: middle and size in pixels, score 0..1."""

    middle: NDArray[Any]
    size: float
    score: float

    @property
    def box(self) -> NDArray[Any]:
        """Left, top, right and bottom."""
        half = self.size / 2
        return np.array([*(self.middle - half), *(self.middle + half)])


def get_inference_pool() -> None:
    """Load the chosen detector."""
    inference_manager.load(detectors())


def detect_faces(vision_frame: NDArray[Any]) -> list[Found]:
    """Find faces that score above `face_detector_score`; 0 switches detection off.

    One face in the middle, 0.4 of the short side. Two faces (0.4 with score 0.9 left, 0.5 with
    score 0.8 right) where the picture is wider than twice its height. None in a black picture.
    Black columns at the right and black rows at the bottom count as outside of the picture.
    """
    inference_manager.load(detectors())
    lit = vision_frame.max(axis=2) > DARK
    if not lit.any():
        return []
    width = int(np.flatnonzero(lit.any(axis=0))[-1]) + 1
    height = int(np.flatnonzero(lit.any(axis=1))[-1]) + 1
    layout = TWO if width > 2 * height else ONE
    lowest = state_manager.get_item("face_detector_score")
    return [
        Found(np.array([part * width, height / 2]), size * min(width, height), score)
        for part, size, score in layout
        if 0 < lowest < score
    ]
