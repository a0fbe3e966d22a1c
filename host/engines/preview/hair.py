"""Telling hair from skin and background by colour."""

import cv2
import numpy as np
from numpy.typing import NDArray

from host.engines.preview.frame import View
from host.engines.preview.pixels import Floats, blurred, to_lab

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
