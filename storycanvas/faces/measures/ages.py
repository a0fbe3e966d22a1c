"""The age of a face, by a network that has nothing to do with what makes pictures here."""

from dataclasses import replace

import numpy as np

from storycanvas.faces.measures.chips import face_chip
from storycanvas.faces.measures.errors import OutputNotFinite
from storycanvas.faces.measures.measure import Bytes, Floats, LandmarkedFace
from storycanvas.faces.measures.networks import Network
from storycanvas.faces.measures.weights import AGE

_SIDE, _PADDING = 64, 0.2
_MEANS = np.array([122.781998, 117.000999, 104.297997], np.float32)
_SUM_MAY_BE_OFF = 0.01
_YEARS = np.array([0.25, *range(1, 81)], np.float32)
"""Of the network's classes; the read age is their mean, weighted by their probabilities."""

_CUTS = ((0.0, 0.95), (-0.03, 1.0), (0.03, 1.04))
"""Shifts down in widths of the face, and sizes of what is cut out.

One cut is not enough: with points that are moved by a fiftieth of the face, up, down and sideways,
the sample portrait reads 29 to 46 years (standard deviation 5.0), by the mean of these 32 to 35
(1.0).
"""


class NetworkAge:
    """An `AgeReader` on the age network of dlib-models."""

    def __init__(self) -> None:
        self._network = Network(AGE)

    def read(self, rgb: Bytes, face: LandmarkedFace) -> float:
        """Read the age of a face in years, 0.25 to 80, to one decimal.

        The mean of several cuts of the face and of its mirror image, so that both read the same.

        Raises:
            WeightsMissing: The network is not installed.
            WeightsChanged: It is not the known one.
            OutputNotFinite: It answered with no finite number.
        """
        chips = [face_chip(rgb, shifted(face, *cut), _SIDE, _PADDING) for cut in _CUTS]
        chips += [chip[:, ::-1] for chip in chips]
        return round(sum(map(self._read_chip, chips)) / len(chips), 1)

    def _read_chip(self, chip: Bytes) -> float:
        (probabilities,) = self._network.run(
            (np.asarray(chip, np.float32) - _MEANS) / np.float32(256)
        )
        return age_of(probabilities.reshape(-1))


def shifted(face: LandmarkedFace, down: float, scale: float) -> LandmarkedFace:
    """Return the face as if its points lay a little elsewhere, so that it is cut out otherwise."""
    middle = face.points.mean(axis=0)
    points = (face.points - middle) * scale + middle + [0, down * face.box[2], 0]
    return replace(face, points=points.astype(np.float32))


def age_of(probabilities: Floats) -> float:
    """Return the expected age of the network's 81 probabilities, in years."""
    if abs(float(probabilities.sum()) - 1) > _SUM_MAY_BE_OFF:
        raise OutputNotFinite("The age network answered with what are no probabilities.")
    return float(probabilities @ _YEARS)
