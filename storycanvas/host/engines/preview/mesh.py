"""The triangles between a face's points, and what is interpolated over them.

`mean_face.txt` has the 468 points of a mean face, u and v a line, in MediaPipe's order: measured
on the portrait in `samples/` and its mirror image. Around them lie rings of points that move with
the eyes alone, so that everything around a face is carried along smoothly.
"""

from functools import cache
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from storycanvas.faces.measures.measure import Floats

Points = NDArray[np.complex128]
"""Places as x + y * 1j, in pixels or in face coordinates."""

_DENSITY = 64
"""Pixels for one face unit at which is interpolated; a larger view is scaled up from that."""
_FLAT = 1e-3
"""Area in pixels below which a triangle is seen from its edge and covers nothing."""


def ring() -> Points:
    """Return the points around a face in face coordinates: about a head, and beyond its view."""
    turns = np.exp(2j * np.pi * np.arange(24) / 24)
    return np.concatenate([0.1j + 2.2 * turns, 5 * turns])


@cache
def mean_points() -> Points:
    """Return the 468 points of the mean face and those around it, in face coordinates."""
    text = files(__package__).joinpath("mean_face.txt").read_text("ascii")
    u, v = np.array(text.split(), np.float64).reshape(-1, 2).T
    return np.concatenate([u + 1j * v, ring()])


@cache
def _triangles() -> NDArray[np.intp]:
    points = mean_points()
    plane = cv2.Subdiv2D((-6, -6, 12, 12))
    plane.insert(np.stack([points.real, points.imag], 1).astype(np.float32).tolist())
    corners = np.asarray(plane.getTriangleList()).reshape(-1, 3, 2)
    corners = corners[(np.abs(corners) < 6).all(axis=(1, 2))]  # noqa: PLR2004 the plane's rim
    places = corners[:, :, 0] + 1j * corners[:, :, 1]
    return np.asarray(np.abs(places[:, :, None] - points).argmin(axis=2), np.intp)


def interpolated(
    points: Points, values: Points, shape: tuple[int, ...], unit: float
) -> tuple[Floats, Floats]:
    """Carry the values of the points of a face to each pixel: linearly in each triangle.

    Args:
        points: Where they are, as x + y * 1j in pixels; in the order of `mean_points`.
        values: One for each point.
        shape: Height and width in pixels.
        unit: Distance of the eyes in pixels.

    Returns:
        Real and imaginary parts, height x width.
    """
    scale = min(1.0, _DENSITY / unit)
    height, width = (max(1, round(side * scale)) for side in shape)
    across, down = width / shape[1], height / shape[0]
    placed = np.stack([(points.real + 0.5) * across, (points.imag + 0.5) * down], 1) - 0.5
    corners = placed[_triangles()]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    seen = np.where(np.abs(areas) < _FLAT, _FLAT, areas)
    start, right, left = values[_triangles()].T
    x_slope = ((right - start) * second[:, 1] - (left - start) * first[:, 1]) / seen
    y_slope = ((left - start) * first[:, 0] - (right - start) * second[:, 0]) / seen
    offset = start - x_slope * corners[:, 0, 0] - y_slope * corners[:, 0, 1]
    labels = _labels(corners, areas, (height, width))
    y, x = np.ogrid[0:height, 0:width]
    small = (offset[labels] + x_slope[labels] * x + y_slope[labels] * y).astype(np.complex64)
    real, imaginary = (cv2.resize(part.copy(), shape[1::-1]) for part in (small.real, small.imag))
    return np.asarray(real, np.float32), np.asarray(imaginary, np.float32)


def _labels(
    corners: NDArray[np.float64], areas: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.int32]:
    """Give each pixel the number of the triangle it lies in; the front covers the back."""
    labels = np.zeros(shape, np.int32)
    rounded = np.rint(corners * 16).astype(np.int32)
    facing = areas * np.sign(np.median(areas))
    for number in np.argsort(facing, kind="stable"):
        if abs(facing[number]) > _FLAT:
            cv2.fillConvexPoly(labels, rounded[number], int(number), cv2.LINE_8, 4)
    return labels
