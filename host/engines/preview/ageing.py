"""Making a face look older or younger by a number of years."""

from functools import cache

import cv2
import numpy as np

from host.engines.preview.frame import View, face_mask
from host.engines.preview.hair import hair_mask
from host.engines.preview.pixels import Floats, blurred, smoothed, to_lab, to_rgb
from host.engines.preview.warping import Push, both_sides, warped
from host.engines.preview.wrinkles import DEEP, FINE, wrinkles

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
    """Change the age of a face and its hair.

    Args:
        view: The face.
        years: How much older; negative is younger.

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
