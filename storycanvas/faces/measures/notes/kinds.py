"""Faces that an enhancement may not suit: one that is sharp already, and one that is drawn."""

import cv2
import numpy as np

from storycanvas.faces.measures.measure import Bytes, Findings, LandmarkedFace
from storycanvas.faces.measures.notes.regions import MIN_PIXELS, FaceView
from storycanvas.faces.pictures.sizes import GOOD_PICTURE

SHARP_FACE = 0.21
"""Sharpness from which on a photograph was not enlarged: docs/figures.md."""

FLAT_FACE = 0.4
"""Share of the skin without any shade from which on it may be drawn: docs/figures.md."""

_WIDTH = 192
"""Pixels of a face's width that it is reduced to: shade per pixel depends on it."""
_FLAT = 0.02
"""Change of L* from pixel to pixel below which there is no shade."""

DRAWN = "This may be drawn; the enhancers are made for photographs."


def sharp_findings(sharpness: float | None, side: int) -> Findings:
    """Note that a large face is sharp already.

    Args:
        sharpness: `face_sharpness` at `GOOD_PICTURE` pixels; None where it was not measured, since
            the face has fewer in what was made of the picture to measure it.
        side: Pixels of the face's shorter side in the picture itself.
    """
    if side < GOOD_PICTURE:
        return Findings()
    if sharpness is None:
        sentence = "The sharpness of the face was not measured: it has too few pixels or details."
        return Findings(not_measured=(sentence,))
    if sharpness < SHARP_FACE:
        return Findings()
    note = (
        f"This face is sharp already; enhancing may soften it: it has {side} pixels and a "
        f"sharpness of {sharpness:.2f}; a photograph that is sharp has {SHARP_FACE:g} and more."
    )
    return Findings(notes=(note,))


def flat_share(rgb: Bytes, face: LandmarkedFace) -> float | None:
    """Measure how much of a face's skin has no shade at all.

    Skin is round, so light falls off across it in every photograph, however blurred or compressed.
    A drawing of even colours has none of that, although landmarks do fit it.

    Returns:
        0 to 1; None where too little of the face is shown.
    """
    view = FaceView.around(rgb, face, _WIDTH)
    skin = view.skin()
    if int(skin.sum()) < MIN_PIXELS:
        return None
    soft = cv2.GaussianBlur(view.grey, (0, 0), 1.0)
    down, across = np.gradient(soft)
    return float((np.hypot(across, down)[skin] < _FLAT).mean())


def drawn_findings(rgb: Bytes, face: LandmarkedFace) -> Findings:
    """Note that a face may be drawn: its skin is of even colour."""
    flat = flat_share(rgb, face)
    return Findings() if flat is None or flat < FLAT_FACE else Findings(notes=(DRAWN,))
