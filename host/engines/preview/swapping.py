"""Putting the face of one picture onto the face of another."""

import cv2
import numpy as np

from host.engines.preview.frame import Face, View
from host.engines.preview.pixels import Bytes, Floats, to_lab, to_rgb


def swapped(view: View, source: Face, source_rgb: Bytes) -> Floats:
    """Lay a source face over the face of a view, eyes on eyes, in the target's colours.

    Args:
        view: The target face.
        source: The source face.
        source_rgb: The picture it is in.

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
    """Give a face the mean and spread of the target's colours, within the mask."""
    inside = share > 0.5  # noqa: PLR2004 the half of the mask that counts
    mean, wanted = face[inside].mean(axis=0), target[inside].mean(axis=0)
    spread = target[inside].std(axis=0) / np.maximum(face[inside].std(axis=0), 1e-3)
    return np.asarray((face - mean) * np.clip(spread, 0.75, 1.3) + wanted, np.float32)
