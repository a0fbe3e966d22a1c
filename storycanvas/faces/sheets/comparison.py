"""How much a face was changed, and how sharp it is: figures beside pictures that are compared."""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from storycanvas.faces.measures.measure import Bytes
from storycanvas.faces.measures.notes.sharpness import sharpness
from storycanvas.faces.sheets.contact_sheet import Box


@dataclass(frozen=True)
class FaceComparison:
    """A face before and after an operation.

    Attributes:
        mean_change: Mean difference of its pixels, 0 to 255.
        sharpness: Of the face after the operation, see
            `storycanvas.faces.measures.notes.sharpness`; None where it is too small or flat.
    """

    mean_change: float
    sharpness: float | None


def compare_faces(before: Image.Image, after: Image.Image, face: Box | None) -> FaceComparison:
    """Compare the part of two pictures of one size in which a face is; None compares all."""
    x, y, width, height = face or (0, 0, *before.size)
    box = (x, y, min(x + width, before.width), min(y + height, before.height))
    old, new = (np.asarray(image.crop(box).convert("RGB")) for image in (before, after))
    change = float(np.abs(old.astype(np.int16) - new).mean())
    return FaceComparison(change, _sharpness(new))


def _sharpness(rgb: Bytes) -> float | None:
    lightness = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) * np.float32(100 / 255)
    return sharpness(lightness, np.ones(lightness.shape, np.bool_))
