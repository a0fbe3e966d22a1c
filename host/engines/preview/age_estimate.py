"""How old a face looks, roughly."""

import numpy as np

from host.engines.preview.frame import View
from host.engines.preview.pixels import Floats, blurred, to_lab

YOUNGEST, OLDEST = 1.0, 95.0
_COLOURLESS = 3.0
"""Chroma of the skin below which a picture is black and white, and its colours say nothing."""


def estimated_age(view: View) -> float:
    """Guess the age of a face from the texture of its skin and the colours of skin and hair.

    Good for ordering pictures of one person, not for the truth: a sharper photograph of the same
    face, or a grey curtain above it, counts as years. It measures what ageing changes here, so an
    aged face comes out older and a rejuvenated one younger, until the ends of the scale.

    Args:
        view: The face.

    Returns:
        Years, 1 to 95, to one decimal.
    """
    texture, skin, hair = measures(view)
    away = 36 * np.log2(texture / 5.74)
    if skin > _COLOURLESS:
        away -= 0.9 * (skin - 26.2) + 0.8 * (hair - 33.4)
    years = 30 + away if away > 0 else 30 * np.exp(away / 36)
    return round(float(np.clip(years, YOUNGEST, OLDEST)), 1)


def measures(view: View) -> tuple[float, float, float]:
    """Measure what the estimate goes by, so that the light on the face does not matter.

    Args:
        view: The face.

    Returns:
        Fine contrast of the skin (above 0), chroma of the skin and chroma of the hair, each in
        percent of the lightness of the skin.
    """
    lab, unit = to_lab(view.rgb), view.face.unit
    light = lab[:, :, 0]
    skin = _bare_skin(view)
    band = np.abs(blurred(light, 0.025 * unit) - blurred(light, 0.12 * unit))
    chroma = np.hypot(lab[:, :, 1], lab[:, :, 2])
    exposure = max(_mean(light, skin), 1.0) / 100
    texture = max(_mean(band, skin), 0.001) / exposure
    hair = _mean(chroma, view.oval(-1.15j, 1.0 + 0.45j)) / exposure
    return texture, _mean(chroma, skin) / exposure, hair


def _bare_skin(view: View) -> Floats:
    """Weights of the cheeks, the corners of the eyes and the chin."""
    eyes, mouth = view.pair(0.5 - 0.06j, 0.42 + 0.30j, 0.2), view.oval(1.0j, 0.62 + 0.28j, 0.2)
    nose = view.oval(0.55j, 0.34 + 0.28j, 0.2)
    bare = view.oval(0.75j, 0.88 + 0.85j, 0.2)
    return np.asarray(bare * (1 - np.minimum(eyes, 1)) * (1 - mouth) * (1 - nose), np.float32)


def _mean(values: Floats, weights: Floats) -> float:
    return float((values * weights).sum() / max(float(weights.sum()), 1e-6))
