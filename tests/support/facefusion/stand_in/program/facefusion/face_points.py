"""A fixed symmetric face: 68 points in units of its box, around the middle, y down."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[Any]


def ellipse(middle: tuple[float, float], radii: tuple[float, float], angles: Points) -> Points:
    """Put points on an ellipse, at angles in radians."""
    on_circle = np.column_stack([np.cos(angles), np.sin(angles)])
    points: Points = np.array(middle) + np.array(radii) * on_circle
    return points


def line(start: tuple[float, float], end: tuple[float, float], count: int) -> Points:
    """Put points on a line, ends included."""
    return np.linspace(start, end, count)


def face_points() -> Points:
    """Return jaw, brows, nose, eyes and lips in the usual order of 68 landmarks."""
    turn = np.pi + 2 * np.pi * np.arange(24) / 24
    return np.vstack(
        [
            ellipse((0, -0.05), (0.4, 0.5), np.linspace(np.pi, 0, 17)),
            line((-0.28, -0.22), (-0.08, -0.22), 5),
            line((0.08, -0.22), (0.28, -0.22), 5),
            line((0, -0.13), (0, 0.07), 4),
            line((-0.07, 0.11), (0.07, 0.11), 5),
            ellipse((-0.17, -0.13), (0.06, 0.025), turn[::4]),
            ellipse((0.17, -0.13), (0.06, 0.025), turn[::4]),
            ellipse((0, 0.22), (0.15, 0.06), turn[::2]),
            ellipse((0, 0.22), (0.09, 0.02), turn[::3]),
        ]
    )


def five_of(points: Points) -> Points:
    """Return the middles of the eyes, the tip of the nose and the corners of the mouth."""
    eyes = [points[36:42].mean(axis=0), points[42:48].mean(axis=0)]
    return np.array([*eyes, points[30], points[48], points[54]])
