"""Masks over a crop of a face: 1 where the work shows, 0 where the picture stays."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion import inference_manager
from facefusion.vision import Frame
from facefusion.weights import maskers

Mask = NDArray[Any]
AREAS = {
    "upper-face": (0, 1, 2, 14, 15, 16, *range(17, 27), *range(31, 36)),
    "lower-face": (*range(3, 14), *range(31, 36)),
    "mouth": tuple(range(48, 68)),
}
BANDS = (None, "skin", "nose", "mouth")


def get_inference_pool() -> None:
    """Load the chosen occluder and parser."""
    inference_manager.load(maskers())


def create_box_mask(
    crop_vision_frame: Frame, face_mask_blur: float, face_mask_padding: tuple[int, ...]
) -> Mask:
    """Leave out a border: half of the blur, and the padding (top, right, bottom, left, percent)."""
    height, width = crop_vision_frame.shape[:2]
    blur = int(width * 0.5 * face_mask_blur)
    least = max(blur // 2, 1)
    sides = zip((height, width, height, width), face_mask_padding, strict=True)
    top, right, bottom, left = (max(least, int(side * part / 100)) for side, part in sides)
    mask = np.zeros((height, width), np.float32)
    mask[top : height - bottom, left : width - right] = 1
    return cv2.GaussianBlur(mask, (0, 0), blur * 0.25) if blur else mask


def create_occlusion_mask(crop_vision_frame: Frame) -> Mask:
    """Leave out the bottom quarter of the crop, as if a hand were there."""
    inference_manager.load(maskers())
    mask = np.zeros(crop_vision_frame.shape[:2], np.float32)
    mask[: len(mask) * 3 // 4] = 1
    return soften(mask)


def create_area_mask(
    crop_vision_frame: Frame, face_landmark_68: NDArray[Any], face_mask_areas: list[str]
) -> Mask:
    """Keep what lies between the landmarks of the areas; they are in pixels of the crop."""
    chosen = [index for area in face_mask_areas for index in AREAS[area]]
    hull = cv2.convexHull(face_landmark_68[chosen].astype(np.int32))
    mask = np.zeros(crop_vision_frame.shape[:2], np.float32)
    cv2.fillConvexPoly(mask, hull, [1.0])
    return soften(mask)


def create_region_mask(crop_vision_frame: Frame, face_mask_regions: list[str]) -> Mask:
    """Keep the bands of the regions: from top to bottom background, skin, nose, mouth."""
    inference_manager.load(maskers())
    mask = np.zeros(crop_vision_frame.shape[:2], np.float32)
    height = len(mask)
    for number, region in enumerate(BANDS):
        if region in face_mask_regions:
            mask[height * number // 4 : height * (number + 1) // 4] = 1
    return soften(mask)


def soften(mask: Mask) -> Mask:
    """Fade the inner side of an edge; outside of it nothing is let through."""
    blurred: Mask = cv2.GaussianBlur(mask, (0, 0), 5)
    return (blurred.clip(0.5, 1) - 0.5) * 2
