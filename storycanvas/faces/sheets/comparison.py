"""How much a face was changed, and how sharp it is: figures beside pictures that are compared."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from storycanvas.faces.sheets.contact_sheet import Box


@dataclass(frozen=True)
class FaceComparison:
    """A face before and after an operation.

    Attributes:
        mean_change: Mean difference of its pixels, 0 to 255.
        sharpness: Variance of the Laplacian of its brightness after the operation; larger is
            sharper. Only figures of one picture can be compared.
    """

    mean_change: float
    sharpness: float


def compare_faces(before: Image.Image, after: Image.Image, face: Box | None) -> FaceComparison:
    """Compare the part of two pictures of one size in which a face is; None compares all."""
    x, y, width, height = face or (0, 0, *before.size)
    box = (x, y, min(x + width, before.width), min(y + height, before.height))
    old, new = (_pixels(image.crop(box)) for image in (before, after))
    return FaceComparison(float(np.abs(old - new).mean()), _sharpness(new.mean(axis=2)))


def _pixels(image: Image.Image) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return np.asarray(image.convert("RGB"), dtype=np.float64)


def _sharpness(grey: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> float:
    if min(grey.shape) < 3:  # noqa: PLR2004 - a pixel with its four neighbours
        return 0.0
    middle = grey[1:-1, 1:-1]
    neighbours = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((neighbours - 4 * middle).var())
