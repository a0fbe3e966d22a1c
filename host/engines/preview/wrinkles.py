"""The lines of an older face, drawn once in face coordinates."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import cv2
import numpy as np

from host.engines.preview.frame import View
from host.engines.preview.pixels import Floats, blurred

_DENSITY = 96
"""Pixels of the drawing for one face unit."""
_CORNER = -1.5 - 1.2j
_SIZE = (3 * _DENSITY, round(3.2 * _DENSITY))


@dataclass(frozen=True)
class Line:
    """A wrinkle: a curve from `start` over `bend` to `end` in face coordinates.

    Attributes:
        start: Where it begins.
        bend: The control point of the quadratic curve.
        end: Where it ends.
        width: In face units.
        depth: 1 is the darkest.
        both: Whether the other half of the face has it too.
    """

    start: complex
    bend: complex
    end: complex
    width: float
    depth: float
    both: bool = True


FINE = (
    Line(0.80 - 0.04j, 0.92 - 0.10j, 1.04 - 0.22j, 0.022, 0.6),
    Line(0.82 + 0.05j, 0.95 + 0.05j, 1.08 + 0.02j, 0.022, 0.7),
    Line(0.80 + 0.13j, 0.90 + 0.20j, 1.02 + 0.26j, 0.022, 0.6),
    Line(0.24 + 0.18j, 0.48 + 0.36j, 0.74 + 0.20j, 0.026, 0.7),
    Line(0.30 + 0.30j, 0.52 + 0.46j, 0.78 + 0.34j, 0.024, 0.5),
    Line(-0.62 - 0.50j, 0.02 - 0.60j, 0.62 - 0.48j, 0.026, 0.7, both=False),
    Line(-0.55 - 0.64j, 0.04 - 0.74j, 0.58 - 0.62j, 0.026, 0.7, both=False),
    Line(-0.58 - 0.78j, -0.04 - 0.88j, 0.55 - 0.77j, 0.026, 0.6, both=False),
    Line(0.36 + 0.62j, 0.58 + 0.76j, 0.60 + 1.06j, 0.034, 0.8),
)
DEEP = (
    Line(0.33 + 0.60j, 0.56 + 0.74j, 0.60 + 1.12j, 0.055, 1.0),
    Line(0.50 + 1.14j, 0.58 + 1.28j, 0.54 + 1.48j, 0.045, 0.8),
    Line(0.09 - 0.32j, 0.07 - 0.20j, 0.10 - 0.08j, 0.030, 0.7),
    Line(0.72 + 0.55j, 0.84 + 0.80j, 0.80 + 1.10j, 0.045, 0.5),
    Line(-0.25 + 1.30j, 0.0 + 1.25j, 0.25 + 1.30j, 0.050, 0.5, both=False),
    Line(0.80 + 0.20j, 0.86 + 0.32j, 0.98 + 0.42j, 0.026, 0.5),
    Line(0.22 + 0.80j, 0.20 + 0.86j, 0.21 + 0.92j, 0.022, 0.4),
    Line(0.10 + 0.80j, 0.10 + 0.86j, 0.10 + 0.91j, 0.022, 0.4),
)


def wrinkles(view: View, lines: tuple[Line, ...]) -> Floats:
    """Shade lines for the pixels of a view: about -1 in a line, a little above 0 below it."""
    x = (view.u - np.float32(_CORNER.real)) * _DENSITY
    y = (view.v - np.float32(_CORNER.imag)) * _DENSITY
    shading = cv2.remap(_drawn(lines), x, y, cv2.INTER_LINEAR, None, cv2.BORDER_CONSTANT, (0,))
    return np.asarray(shading, np.float32)


@cache
def _drawn(lines: tuple[Line, ...]) -> Floats:
    shading = np.zeros((_SIZE[1], _SIZE[0]), np.float32)
    for line in lines:
        shading += _groove(line, 1)
        if line.both:
            shading += _groove(line, -1)
    return shading


def _groove(line: Line, side: int) -> Floats:
    """Draw one line as light from above shows it: dark, with its lower wall a little lighter."""
    depth = np.zeros((_SIZE[1], _SIZE[0]), np.float32)
    steps = np.linspace(0, 1, 25)
    path = line.start * (1 - steps) ** 2 + 2 * line.bend * steps * (1 - steps) + line.end * steps**2
    spots = (np.stack([path.real * side, path.imag], 1) - [_CORNER.real, _CORNER.imag]) * _DENSITY
    points = np.rint(spots * 16).astype(int)
    for step, (first, last) in enumerate(pairwise(points)):
        strength = np.sin(np.pi * (step + 0.5) / 24) ** 0.7
        cv2.line(depth, tuple(first), tuple(last), float(strength), 2, cv2.LINE_8, 4)
    sigma = line.width * _DENSITY / 2
    soft = blurred(depth, sigma)
    soft *= line.depth / max(float(soft.max()), 1e-6)
    return -soft - np.float32(0.9 * sigma) * np.gradient(soft, axis=0).astype(np.float32)
