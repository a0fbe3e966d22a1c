"""Putting the face of one picture onto the face of another."""

import cv2
import numpy as np

from storycanvas.faces.operations import EnhancementModel
from storycanvas.host.engines.preview.frame import (
    Bytes,
    Face,
    Floats,
    View,
    blurred,
    face_mask,
    smoothed,
    to_lab,
    to_rgb,
)

STRENGTHS: dict[EnhancementModel, float] = {
    EnhancementModel.GFPGAN_1_2: 0.8,
    EnhancementModel.GFPGAN_1_3: 0.9,
    EnhancementModel.GFPGAN_1_4: 1.0,
    EnhancementModel.CODEFORMER: 1.1,
    EnhancementModel.RESTOREFORMER_PLUS_PLUS: 1.2,
    EnhancementModel.GPEN_BFR_256: 0.7,
    EnhancementModel.GPEN_BFR_512: 0.95,
    EnhancementModel.GPEN_BFR_1024: 1.15,
    EnhancementModel.GPEN_BFR_2048: 1.3,
}
"""How strongly each model's stand-in sharpens."""


def enhanced(view: View, model: EnhancementModel) -> Floats:
    """Remove the grain of a face and bring its contours out; models differ in strength alone.

    Returns:
        Colours of the whole view, unchanged away from the face.
    """
    strength, unit = STRENGTHS[model], view.face.unit
    lab = to_lab(view.rgb)
    light = lab[:, :, 0]
    calm = smoothed(light, 0.03 * unit, 2)
    fine, broad = calm - blurred(calm, 0.025 * unit), calm - blurred(calm, 0.12 * unit)
    sharp = calm + np.float32(strength) * (1.2 * fine + 0.35 * broad)
    clear = np.dstack([np.clip(sharp + strength, 0, 100), lab[:, :, 1:] * (1 + 0.08 * strength)])
    share = face_mask(view)[:, :, None]
    return view.rgb + share * (to_rgb(clear.astype(np.float32)) - view.rgb)


def masked(rgb: Bytes, faces: list[Face]) -> Bytes:
    """Draw white where faces may change on black, soft between, in the picture's size."""
    drawn = np.zeros_like(rgb)
    for face in faces:
        view = View.around(face, rgb)
        share = np.rint(face_mask(view) * 255).astype(np.uint8)[:, :, None]
        part = drawn[view.rows, view.columns]
        np.maximum(part, share, out=part)
    return drawn


def swapped(view: View, source: Face, source_rgb: Bytes) -> Floats:
    """Lay a source face over the face of a view, eyes on eyes, in the target's colours.

    Returns:
        Colours of the whole view, unchanged away from the face.
    """
    share = view.oval(0.55j, 1.02 + 1.20j, 0.35)
    face = to_lab(_brought_over(view, source, source_rgb))
    matched = to_rgb(_colour_matched(face, to_lab(view.rgb), share))
    return view.rgb + share[:, :, None] * (matched - view.rgb)


def _brought_over(view: View, source: Face, source_rgb: Bytes) -> Floats:
    shrink = min(1.0, 1.5 * view.face.unit / source.unit)
    small = cv2.resize(source_rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    places = (source.origin + source.axis * (view.u + 1j * view.v)) * shrink
    x, y = places.real.astype(np.float32), places.imag.astype(np.float32)
    warped = cv2.remap(
        small.astype(np.float32), x, y, cv2.INTER_CUBIC, None, cv2.BORDER_REFLECT_101
    )
    return np.clip(np.asarray(warped, np.float32), 0, 255)


def _colour_matched(face: Floats, target: Floats, share: Floats) -> Floats:
    """Match the mean and spread of a face's colours to the target's, within the mask."""
    inside = share > 0.5  # noqa: PLR2004 the half of the mask that counts
    mean, wanted = face[inside].mean(axis=0), target[inside].mean(axis=0)
    spread = target[inside].std(axis=0) / np.maximum(face[inside].std(axis=0), 1e-3)
    return np.asarray((face - mean) * np.clip(spread, 0.75, 1.3) + wanted, np.float32)
