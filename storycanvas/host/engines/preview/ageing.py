"""Making a face look older or younger by a number of years."""

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from storycanvas.faces.measures.measure import Floats
from storycanvas.host.engines.preview.editing import Push, both_sides, warped
from storycanvas.host.engines.preview.frame import (
    View,
    blurred,
    face_mask,
    smoothed,
    to_lab,
    to_rgb,
)


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
    bare = np.maximum(view.oval(0.8j, 1.12 + 1.35j, 0.2), view.oval(0.3j, 1.2 + 0.8j, 0.2))
    return np.asarray(soft * view.oval(-0.35j, 1.95 + 1.85j, 0.15) * (1 - bare), np.float32)


def _likelihood(lab: Floats, sample: NDArray[np.bool_]) -> Floats:
    """How well each colour fits the colours of a sample, as a Gaussian density."""
    if not sample.any():
        return np.zeros(lab.shape[:2], np.float32)
    colours = lab[sample]
    spread = np.cov(colours, rowvar=False) + np.diag([40.0, 8.0, 8.0])
    whiten = np.linalg.cholesky(np.linalg.inv(spread)).T
    away = cv2.transform(lab - colours.mean(axis=0), whiten.astype(np.float32))
    red, green, blue = cv2.split(away * away)
    density = np.exp((red + green + blue) / -2) / np.sqrt(np.linalg.det(spread))
    return np.asarray(density, np.float32)


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
    Line(0.50 + 1.10j, 0.58 + 1.24j, 0.54 + 1.44j, 0.055, 0.6),
    Line(0.09 - 0.34j, 0.07 - 0.22j, 0.10 - 0.10j, 0.040, 0.35),
    Line(0.72 + 0.60j, 0.84 + 0.85j, 0.78 + 1.15j, 0.080, 0.3),
    Line(-0.25 + 1.30j, 0.0 + 1.25j, 0.25 + 1.30j, 0.050, 0.5, both=False),
    Line(0.80 + 0.20j, 0.86 + 0.32j, 0.98 + 0.42j, 0.026, 0.5),
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


_OLD = (
    *both_sides(
        Push(0.62 + 1.30j, 0.55 + 0.65j, 0.06 + 0.09j),
        Push(0.55 - 0.12j, 0.42 + 0.30j, 0.03j),
        Push(0.50 + 0.02j, 0.40 + 0.22j, stretch=-0.18j),
    ),
    Push(0.0 + 1.00j, 0.70 + 0.28j, stretch=-0.22j),
    Push(0.0 + 0.60j, 0.40 + 0.40j, 0.04j, stretch=0.12 + 0j),
    Push(0.0 + 1.10j, 1.60 + 0.95j, 0.06j),
)
_YOUNG = (
    *both_sides(Push(0.5 + 0.0j, 0.46 + 0.36j, stretch=0.15 + 0.18j)),
    Push(0.0 + 1.15j, 1.50 + 0.90j, -0.11j),
    Push(0.0 + 0.50j, 0.42 + 0.50j, stretch=-0.16 - 0.06j),
    Push(0.0 - 0.35j, 1.50 + 0.72j, 0.04j),
)


def aged(view: View, years: float) -> Floats:
    """Make a face and its hair older by some years, younger by negative ones.

    Returns:
        Colours of the whole view, unchanged away from the face and its hair.
    """
    if years >= 0:
        amount = min(years / 29, 1.4)
        return _older(
            view, warped(view, [(push, min(0.85 * amount, 1.0)) for push in _OLD]), amount
        )
    amount = 1.6 * (1 - math.exp(-((-years / 19) ** 1.5)))
    return _younger(view, warped(view, [(push, amount) for push in _YOUNG]), amount)


def _older(view: View, rgb: Floats, amount: float) -> Floats:
    lab, unit, hair = to_lab(rgb), view.face.unit, hair_mask(view)
    skin = face_mask(view) * (1 - hair)
    plain = skin * _plain_skin(view)
    light = lab[:, :, 0].copy()
    relief = blurred(light, 0.015 * unit) - blurred(light, 0.09 * unit)
    light += plain * (
        np.clip(relief, -4, 4) * 0.5 * min(amount, 1.2) + _ageing_shade(view) * amount
    )
    lines = 14 * amount * wrinkles(view, FINE) + 26 * max(amount - 0.2, 0) * wrinkles(view, DEEP)
    light += skin * blurred(lines, _softness(lab[:, :, 0], plain, unit)) * (light / 70)
    lab[:, :, 0] = light
    lab[:, :, 1:] *= 1 - np.float32(min(0.2 * amount, 0.3)) * skin[:, :, None]
    return to_rgb(_greyed(lab, hair, _mean(lab, plain), min(0.7 * amount, 0.9)))


def _mean(values: Floats, weights: Floats) -> Floats:
    total = (values * weights[:, :, None]).sum(axis=(0, 1))
    return np.asarray(total / max(float(weights.sum()), 1e-6), np.float32)


_GRAIN = 0.8
"""Fine contrast of the skin of a sharp portrait, in L units."""


def _softness(light: Floats, skin: Floats, unit: float) -> float:
    """How far lines have to be blurred, in pixels, to be as soft as the skin that they lie on."""
    grain = np.abs(light - blurred(light, 0.03 * unit))[:, :, None]
    return 0.05 * unit * max(0.0, 1 - float(_mean(grain, skin)[0]) / _GRAIN)


def _greyed(lab: Floats, hair: Floats, skin: Floats, grey: float) -> Floats:
    """Take the colour out of hair, as far as the light lets it: that of the skin tells its tint."""
    share = (hair * np.float32(grey))[:, :, None]
    lab[:, :, 1:] += share * (np.float32(0.25) * skin[1:] - lab[:, :, 1:])
    lab[:, :, :1] += share * (16 - 0.12 * (lab[:, :, :1] - 40))
    return lab


def _younger(view: View, rgb: Floats, amount: float) -> Floats:
    lab, unit = to_lab(rgb), view.face.unit
    share = face_mask(view) * (1 - hair_mask(view)) * min(amount, 1.0)
    light, plain = lab[:, :, 0].copy(), share * _plain_skin(view)
    step = 0.1 * float(_mean(lab, plain)[0])
    light += plain * (smoothed(smoothed(light, 0.08 * unit, step), 0.16 * unit, step / 1.4) - light)
    lab[:, :, 0] = light + share * 0.05 * light
    lab[:, :, 1] *= 1 + share * (0.05 + 0.10 * view.pair(0.62 + 0.6j, 0.5 + 0.45j))
    return to_rgb(lab)


def _plain_skin(view: View) -> Floats:
    """Weights of skin without eyes, nostrils and mouth, 0..1."""
    eyes, mouth = view.pair(0.5 - 0.06j, 0.46 + 0.32j, 0.5), view.oval(1.0j, 0.62 + 0.30j, 0.5)
    nose = view.oval(0.62j, 0.34 + 0.16j, 0.6)
    return (1 - np.minimum(eyes, 1)) * (1 - mouth) * (1 - nose)


def _ageing_shade(view: View) -> Floats:
    """Light and shadow of an older face: hollow cheeks and bags, cheek bones."""
    shade = -5 * view.pair(0.78 + 0.95j, 0.34 + 0.5j) - 4.5 * view.pair(0.42 + 0.24j, 0.36 + 0.18j)
    shade += 2.5 * view.pair(0.62 + 0.45j, 0.34 + 0.2j) - 4 * view.oval(1.3j, 0.4 + 0.12j)
    return shade - 4 * view.pair(0.62 + 1.42j, 0.28 + 0.25j)
