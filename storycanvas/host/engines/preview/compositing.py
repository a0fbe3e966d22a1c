"""Putting the face of one picture onto the face of another."""

import cv2
import numpy as np

from storycanvas.faces.measures.measure import Bytes, Floats
from storycanvas.faces.operations import EnhancementModel
from storycanvas.host.engines.preview.frame import (
    Face,
    View,
    blurred,
    face_mask,
    smoothed,
    to_lab,
    to_rgb,
)
from storycanvas.host.engines.preview.mesh import Points, interpolated, mean_points

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
    """Sharpen the contours of a face without halos around them; models differ in strength alone.

    Returns:
        Colours of the whole view, unchanged away from the face.
    """
    strength, unit = STRENGTHS[model], view.face.unit
    lab = to_lab(view.rgb)
    calm = smoothed(lab[:, :, 0], 0.03 * unit, 1.2)
    fine, broad = calm - blurred(calm, 0.025 * unit), calm - blurred(calm, 0.12 * unit)
    sharp = calm + np.float32(strength) * (0.75 * fine + 0.08 * broad)
    around, room = np.ones((2 * max(1, round(0.04 * unit)) + 1,) * 2, np.uint8), 1.5 * strength
    lab[:, :, 0] = np.clip(sharp, cv2.erode(calm, around) - room, cv2.dilate(calm, around) + room)
    share = face_mask(view)[:, :, None]
    return view.rgb + share * (to_rgb(lab) - view.rgb)


def masked(rgb: Bytes, faces: list[Face]) -> Bytes:
    """Draw white where faces may change on black, soft between, in the picture's size."""
    drawn = np.zeros_like(rgb)
    for face in faces:
        view = View.around(face, rgb)
        share = np.rint(face_mask(view) * 255).astype(np.uint8)[:, :, None]
        part = drawn[view.rows, view.columns]
        np.maximum(part, share, out=part)
    return drawn


_EYES_OF_SIDE = 0.314
"""Distance of the eyes in the square that a swapper works on, of its side (`arcface_112`)."""
_OWN_SHAPE = 0.6
"""How much of the source's shape is kept in the middle of a face; its outline is the target's."""


def swapped(view: View, source: Face, source_rgb: Bytes, side: int | None = None) -> Floats:
    """Lay a source face over the face of a view, point on point, in the target's light.

    Args:
        view: Around the target's face.
        source: The face to bring over.
        source_rgb: Its picture.
        side: Side of the square that the face is made in, in pixels; None for the view's own.

    Returns:
        Colours of the whole view, unchanged away from the face.
    """
    share = view.oval(0.42j, 1.06 + 1.26j, 0.3)
    face = to_lab(_brought_over(view, source, source_rgb, side))
    matched = to_rgb(_lit_alike(face, to_lab(view.rgb), share, view.face.unit))
    return view.rgb + share[:, :, None] * (matched - view.rgb)


def _brought_over(view: View, source: Face, source_rgb: Bytes, side: int | None) -> Floats:
    unit = view.face.unit
    finest = 1.5 * unit if side is None else min(1.5 * unit, _EYES_OF_SIDE * side)
    shrink = min(1.0, finest / source.unit)
    small = cv2.resize(source_rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    places, middle = view.placed(_between(view.face, source)), 0.5 + 0.5j
    x, y = interpolated(places, (source.points + middle) * shrink - middle, view.u.shape, unit)
    colours = small.astype(np.float32)
    warped = cv2.remap(colours, x, y, cv2.INTER_CUBIC, None, cv2.BORDER_REFLECT_101)
    return np.clip(np.asarray(warped, np.float32), 0, 255)


def _between(target: Face, source: Face) -> Points:
    """Return where a source's points go: in its own shape, turned like the target's face."""
    own, wanted = (face.seen.points.astype(np.float64) for face in (source, target))
    first, second = own - own.mean(axis=0), wanted - wanted.mean(axis=0)
    left, _, right = np.linalg.svd(first.T @ second)
    left[:, -1] *= np.sign(np.linalg.det(left @ right))
    turned = first @ left @ right * (np.linalg.norm(second) / np.linalg.norm(first))
    mean = mean_points()[: len(own)]
    inside = np.clip(2 - 2 * np.hypot(mean.real / 1.06, (mean.imag - 0.42) / 1.26), 0, 1)
    moved = _OWN_SHAPE * inside[:, None] * (turned - second)
    points = target.points
    points[: len(own)] += moved[:, 0] + 1j * moved[:, 1]
    return points


def _lit_alike(face: Floats, target: Floats, share: Floats, unit: float) -> Floats:
    """Match the mean and spread of a face's colours to the target's, then its broad light."""
    inside = share > 0.5  # noqa: PLR2004 the half of the mask that counts
    mean, wanted = face[inside].mean(axis=0), target[inside].mean(axis=0)
    spread = target[inside].std(axis=0) / np.maximum(face[inside].std(axis=0), 1e-3)
    matched = (face - mean) * np.clip(spread, 0.75, 1.3) + wanted
    weight = np.maximum(blurred(share, 0.5 * unit), 1e-3)[:, :, None]
    broad = blurred((target - matched) * share[:, :, None], 0.5 * unit) / weight
    return np.asarray(matched + broad, np.float32)
