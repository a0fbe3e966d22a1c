"""From a picture in normal form to its colours and back."""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faces.pictures import Picture, normal_form

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Pixels:
    """A decoded picture; operations change its colours only.

    Attributes:
        rgb: Colours, height x width x 3, 0..255.
        alpha: Height x width, 0..255, or None for an opaque picture.
        profile: ICC profile, or None.
    """

    rgb: Bytes
    alpha: Bytes | None
    profile: bytes | None

    @classmethod
    def read(cls, picture: Picture) -> "Pixels":
        """Decode a picture in normal form."""
        with Image.open(io.BytesIO(picture.png)) as image:
            samples = np.array(image, np.uint8)
            profile = image.info.get("icc_profile")
        alpha = samples[:, :, 3].copy() if samples.shape[2] == 4 else None  # noqa: PLR2004 RGBA
        return cls(np.ascontiguousarray(samples[:, :, :3]), alpha, profile)

    def recoloured(self, rgb: Bytes) -> Picture:
        """Encode other colours with this picture's alpha channel and profile."""
        samples = rgb if self.alpha is None else np.dstack([rgb, self.alpha])
        image = Image.fromarray(samples)
        if self.profile:
            image.info["icc_profile"] = self.profile
        return normal_form(image)


def to_lab(rgb: Floats) -> Floats:
    """Convert colours of 0..255 to CIE Lab: L 0..100, a and b about -127..127."""
    return np.asarray(cv2.cvtColor(rgb / np.float32(255), cv2.COLOR_RGB2Lab), np.float32)


def to_rgb(lab: Floats) -> Floats:
    """Convert CIE Lab to colours of 0..255."""
    rgb = np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), np.float32)
    return np.clip(rgb, 0, 1) * np.float32(255)


def blurred(values: Floats, sigma: float) -> Floats:
    """Blur with a Gaussian of `sigma` pixels; a wide one is done at a smaller size, for speed."""
    height, width = values.shape[:2]
    shrink = max(1, int(sigma / 4))
    if shrink == 1:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), max(sigma, 0.3)), np.float32)
    size = (max(1, width // shrink), max(1, height // shrink))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    return np.asarray(cv2.resize(soft, (width, height)), np.float32)


def smoothed(values: Floats, radius: float, contrast: float) -> Floats:
    """Smooth one channel and keep edges: a guided filter with the channel as its own guide.

    Args:
        values: Height x width.
        radius: How far it averages, in pixels.
        contrast: Steps much larger than this stay, smaller ones go; in the units of `values`.
    """
    side = 2 * max(1, round(radius)) + 1

    def mean(array: Floats) -> Floats:
        return np.asarray(cv2.blur(array, (side, side)), np.float32)

    average = mean(values)
    variance = np.maximum(mean(values * values) - average * average, 0)
    keep = variance / (variance + np.float32(contrast * contrast))
    blur = mean(np.asarray(average * (1 - keep), np.float32))
    return mean(np.asarray(keep, np.float32)) * values + blur
