"""Making a face look older or younger by a number of years."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from storycanvas.host.engines.preview.editing import Push, both_sides, warped
from storycanvas.host.engines.preview.frame import (
    Floats,
    View,
    blurred,
    face_mask,
    smoothed,
    to_lab,
    to_rgb,
)

Sample = NDArray[np.bool_]


def hair_mask(view: View) -> Floats:
    """Weights of the hair of a head, 0..1 with a soft edge.

    Colours are learned from where hair, skin and background usually are; a hat or a bald head
    is taken for hair.
    """
    lab = blurred(to_lab(view.rgb), 0.03 * view.face.unit)
    u, v = np.abs(view.u), view.v
    hair = _likelihood(lab, (u < 0.9) & (v > -1.45) & (v < -0.85))  # noqa: PLR2004 places
    skin = _likelihood(lab, (u < 0.75) & (v > 0.25) & (v < 0.8))  # noqa: PLR2004 places
    behind = _likelihood(lab, (u > 1.95) & (v < 0.2) | (v < -2.1))  # noqa: PLR2004 places
    share = hair / (hair + skin + behind + np.float32(1e-6))
    soft = blurred(np.clip(2 * share - 0.5, 0, 1), 0.04 * view.face.unit)
    return soft * view.oval(-0.35j, 1.95 + 1.85j, 0.15) * (1 - view.oval(0.8j, 1.0 + 1.35j, 0.2))


def _likelihood(lab: Floats, sample: Sample) -> Floats:
    """How well each colour fits the colours of a sample, as a Gaussian density."""
    if not sample.any():
        return np.zeros(lab.shape[:2], np.float32)
    colours = lab[sample]
    spread = np.cov(colours, rowvar=False) + np.diag([40.0, 8.0, 8.0])
    whiten = np.linalg.cholesky(np.linalg.inv(spread)).T
    away = cv2.transform(lab - colours.mean(axis=0), whiten.astype(np.float32))
    red, green, blue = cv2.split(away * away)
    scale = np.float32(1 / np.sqrt(np.linalg.det(spread)))
    return np.asarray(cv2.exp((red + green + blue) / -2) * scale, np.float32)


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


_SAG = both_sides(
    Push(0.62 + 1.30j, 0.55 + 0.65j, 0.05 + 0.07j),
    Push(0.48 + 1.00j, 0.35 + 0.30j, 0.05j),
    Push(0.55 - 0.12j, 0.42 + 0.30j, 0.025j),
    Push(0.50 + 0.02j, 0.40 + 0.22j, stretch=-0.16j),
    Push(0.0 + 1.02j, 0.60 + 0.28j, stretch=-0.07j),
)
_ROUND = both_sides(
    Push(0.5 + 0.0j, 0.48 + 0.42j, stretch=0.20 + 0.28j),
    Push(0.62 + 0.95j, 0.60 + 0.75j, 0.06 - 0.01j),
    Push(0.0 + 1.70j, 1.00 + 0.80j, -0.045j),
    Push(0.0 + 0.55j, 0.42 + 0.50j, stretch=-0.07 - 0.05j),
)


def aged(view: View, years: float) -> Floats:
    """Make a face and its hair older by some years, younger by negative ones.

    Returns:
        Colours of the whole view, unchanged away from the face and its hair.
    """
    if years >= 0:
        amount = min(years / 35, 1.6)
        return _older(view, warped(view, [(push, min(amount, 1.2)) for push in _SAG]), amount)
    amount = min(-years / 20, 1.5)
    return _younger(view, warped(view, [(push, amount) for push in _ROUND]), amount)


def _older(view: View, rgb: Floats, amount: float) -> Floats:
    lab, unit = to_lab(rgb), view.face.unit
    hair, face = hair_mask(view), face_mask(view)
    skin = face * (1 - hair) * _plain_skin(view)
    light = lab[:, :, 0].copy()
    detail = light - blurred(light, 0.10 * unit)
    light += skin * np.clip(detail, -6, 6) * min(0.7 * amount, 1.2)
    light += skin * _ageing_shade(view) * amount
    lines = 13 * amount * wrinkles(view, FINE) + 15 * max(amount - 0.25, 0) * wrinkles(view, DEEP)
    light += face * (1 - hair) * lines * (light / 70)
    lab[:, :, 0] = light
    lab[:, :, 1:] *= 1 - np.float32(min(0.22 * amount, 0.4)) * (face * (1 - hair))[:, :, None]
    return to_rgb(_greyed(lab, hair, min(0.62 * amount, 0.9)))


def _greyed(lab: Floats, hair: Floats, grey: float) -> Floats:
    share = hair * np.float32(grey)
    lab[:, :, 1:] *= 1 - share[:, :, None]
    lab[:, :, 0] += share * (16 - 0.12 * (lab[:, :, 0] - 40))
    return lab


def _younger(view: View, rgb: Floats, amount: float) -> Floats:
    lab, unit = to_lab(rgb), view.face.unit
    face = face_mask(view) * (1 - hair_mask(view))
    skin, strength = face * _plain_skin(view), min(amount, 1.0)
    light = lab[:, :, 0].copy()
    soft = smoothed(smoothed(light, 0.08 * unit, 7), 0.16 * unit, 5)
    light += skin * strength * (soft - light)
    lab[:, :, 0] = light + face * amount * (100 - light) * 0.11
    cheeks = view.pair(0.62 + 0.6j, 0.5 + 0.45j)
    lab[:, :, 1] *= 1 + face * amount * (0.16 + 0.14 * cheeks)
    lab[:, :, 2] *= 1 + face * amount * 0.10
    return to_rgb(lab)


def _plain_skin(view: View) -> Floats:
    """Weights of skin without eyes, nostrils and mouth, 0..1."""
    eyes, mouth = view.pair(0.5 - 0.06j, 0.46 + 0.32j, 0.5), view.oval(1.0j, 0.62 + 0.30j, 0.5)
    nose = view.oval(0.62j, 0.34 + 0.16j, 0.6)
    return (1 - np.minimum(eyes, 1)) * (1 - mouth) * (1 - nose)


def _ageing_shade(view: View) -> Floats:
    """Light and shadow of an older face: hollow cheeks and bags, cheek bones, uneven skin."""
    shade = -5 * view.pair(0.78 + 0.95j, 0.34 + 0.5j) - 4.5 * view.pair(0.42 + 0.24j, 0.36 + 0.18j)
    shade += 2.5 * view.pair(0.62 + 0.45j, 0.34 + 0.2j) - 4 * view.oval(1.3j, 0.4 + 0.12j)
    shade -= 4 * view.pair(0.62 + 1.42j, 0.28 + 0.25j)
    x, y = (view.u + np.float32(2.56)) * 50, (view.v + np.float32(2.56)) * 50
    uneven = np.asarray(cv2.remap(_mottling(), x, y, cv2.INTER_LINEAR), np.float32)
    return np.asarray(shade + uneven, np.float32)


@cache
def _mottling() -> Floats:
    """Uneven skin, in L units, drawn once for all faces."""
    noise = np.random.default_rng(19).standard_normal((257, 257)).astype(np.float32)
    coarse, fine = blurred(noise, 5), blurred(noise, 1.6)
    return np.asarray(coarse / coarse.std() + 0.6 * fine / fine.std(), np.float32)
