"""What stand-in models are written with: ONNX text, numbers, and the points of a face."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Point = tuple[float, float]

EYE = np.pi + np.arange(6) * np.pi / 3
LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)
NOSE_TIP, MOUTH_LEFT, MOUTH_RIGHT = 30, 48, 54


@dataclass(frozen=True)
class Model:
    """A stand-in model.

    Attributes:
        name: Of its file, without suffix.
        inputs: In ONNX's text form.
        outputs: As well.
        nodes: As well.
        constants: By their names in the nodes, in the order of the file.
    """

    name: str
    inputs: str
    outputs: str
    nodes: str
    constants: Mapping[str, Array] = field(default_factory=dict)


def floats(*values: Any) -> Array:
    """Return one value as a number or array, or several as an array."""
    return np.array(values if len(values) > 1 else values[0], np.float32)


def integers(*values: int) -> Array:
    """Return whole numbers, as shapes and axes take them."""
    return np.array(values, np.int64)


def face_points() -> Array:
    """Return 68 landmarks of a symmetric face, in parts of its box from its middle, y downwards."""
    jaw = np.linspace(np.pi, 0, 17)
    return np.array(
        [
            *ellipse((0, -0.05), (0.4, 0.5), jaw),
            *line((-0.28, -0.22), (-0.08, -0.22), 5),
            *line((0.08, -0.22), (0.28, -0.22), 5),
            *line((0, -0.13), (0, 0.07), 4),
            *line((-0.07, 0.11), (0.07, 0.11), 5),
            *ellipse((-0.17, -0.13), (0.06, 0.025), EYE),
            *ellipse((0.17, -0.13), (0.06, 0.025), EYE),
            *ellipse((0, 0.22), (0.15, 0.06), np.pi + np.arange(12) * np.pi / 6),
            *ellipse((0, 0.22), (0.09, 0.02), np.pi + np.arange(8) * np.pi / 4),
        ]
    )


def five_points(points: Array) -> Array:
    """Return eyes, tip of the nose and corners of the mouth."""
    corners = (points[NOSE_TIP], points[MOUTH_LEFT], points[MOUTH_RIGHT])
    return np.array([points[LEFT_EYE].mean(0), points[RIGHT_EYE].mean(0), *corners])


def ellipse(middle: Point, radii: Point, angles: Iterable[float]) -> Iterator[Point]:
    """Return the points of an ellipse at some angles."""
    for angle in angles:
        yield middle[0] + radii[0] * np.cos(angle), middle[1] + radii[1] * np.sin(angle)


def line(start: Point, end: Point, count: int) -> Iterator[Point]:
    """Return points on a line, both ends included."""
    across, down = (np.linspace(start[axis], end[axis], count) for axis in (0, 1))
    return zip(across.tolist(), down.tolist(), strict=True)
