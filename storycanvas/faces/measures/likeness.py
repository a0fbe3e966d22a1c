"""How unlike two faces are, by dlib's recogniser: an optional extra, for where no FaceFusion is.

The recogniser's description of a face exists only within one call. It identifies a person, so it is
never kept, returned or logged; the distance of two of them does not.
"""

import importlib
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from storycanvas.faces.measures.chips import face_chip
from storycanvas.faces.measures.errors import OutputNotFinite, WeightsMissing
from storycanvas.faces.measures.measure import (
    SAME_BELOW,
    Bytes,
    Floats,
    LandmarkedFace,
    LikenessScale,
)
from storycanvas.faces.measures.weights import (
    LIKENESS_REMEDY,
    RECOGNISER,
    check_weights,
    path_of,
)

_SIDE, _PADDING = 150, 0.25


class DlibLikeness:
    """A `LikenessMeter` on dlib's recogniser, for faces that the mesh was laid on.

    Faces are aligned by the mesh, so no shape predictor of dlib is needed or loaded.
    """

    scale: LikenessScale = "dlib"
    same_below: float = SAME_BELOW["dlib"]

    def __init__(self) -> None:
        """Load the recogniser.

        Raises:
            WeightsMissing: dlib or the recogniser's file is not installed.
            WeightsChanged: The file is not the known one.
        """
        self._recogniser = _load_recogniser()
        self._lock = threading.Lock()

    def distances(
        self,
        reference: tuple[Bytes, LandmarkedFace],
        faces: tuple[Bytes, tuple[LandmarkedFace, ...]],
    ) -> tuple[float, ...]:
        """Measure the distance of each face of a picture to a reference face.

        Returns:
            In the order of the faces, to three decimals; 0 is the same picture of a face, up to
            about 0.5 is usual for one person, 0.7 and more for two.

        Raises:
            OutputNotFinite: The recogniser answered with no finite number.
        """
        rgb, found = faces
        (distances,) = self.distance_table([reference], [(rgb, face) for face in found])
        return distances

    def distance_table(
        self,
        references: Sequence[tuple[Bytes, LandmarkedFace]],
        faces: Sequence[tuple[Bytes, LandmarkedFace]],
    ) -> tuple[tuple[float, ...], ...]:
        """Measure faces of any pictures against several references: a row a reference.

        Each face is described once, and the descriptions end with the call.

        Raises:
            OutputNotFinite: The recogniser answered with no finite number.
        """
        if not faces:
            return ((),) * len(references)
        described = [self._describe(*face) for face in faces]
        rows = (self._describe(*reference) for reference in references)
        return tuple(tuple(_distance(first, each) for each in described) for first in rows)

    def _describe(self, rgb: Bytes, face: LandmarkedFace) -> Floats:
        chip = np.ascontiguousarray(face_chip(rgb, face, _SIDE, _PADDING))
        with self._lock:  # a network of dlib keeps its layers' outputs
            described = self._recogniser.compute_face_descriptor(chip)
        return np.asarray(described, np.float32)


@cache
def likeness_meter() -> DlibLikeness:
    """Return the meter that this process shares.

    Raises:
        WeightsMissing: dlib or the recogniser's file is not installed.
        WeightsChanged: The file is not the known one.
    """
    return DlibLikeness()


def _load_recogniser() -> Any:  # noqa: ANN401 - dlib has no types
    try:
        dlib = importlib.import_module("dlib")
    except ImportError:
        raise WeightsMissing(f"dlib-bin is not installed: {LIKENESS_REMEDY}.") from None
    path = path_of(RECOGNISER)
    check_weights(RECOGNISER, path.read_bytes())
    return dlib.face_recognition_model_v1(str(path))


def _distance(first: Floats, second: Floats) -> float:
    distance = float(np.linalg.norm(first - second))
    if not np.isfinite(distance):
        raise OutputNotFinite(f"{RECOGNISER.file} answered with no finite number.")
    return round(distance, 3)
