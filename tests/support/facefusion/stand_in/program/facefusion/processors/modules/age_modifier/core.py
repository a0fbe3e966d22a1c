"""Brightens a face that gets older, and darkens one that gets younger."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facefusion import inference_manager, state_manager
from facefusion.face_helper import (
    paste_back,
    scale_face_landmark_5,
    warp_face_by_face_landmark_5,
)
from facefusion.processors.masks import box_and_occlusion
from facefusion.processors.processor import Processor
from facefusion.types import Face
from facefusion.vision import Frame

SIZE = (1024, 1024)
PER_CENTURY = 0.5 * 255
STRIPE = 0.1 * 127.5


def models() -> tuple[str, ...]:
    """Return the file of the chosen model."""
    return (state_manager.get_item("age_modifier_model"),)


def modify_age(face: Face, frame: Frame, _source: Face | None) -> Frame:
    """Change one face by the chosen model."""
    inference_manager.load(models())
    is_fran = models() == ("fran",)
    points = scale_face_landmark_5(face.landmark_set["5/68"], 1.0 if is_fran else 0.6)
    crop, matrix = warp_face_by_face_landmark_5(frame, points, "ffhq_512", SIZE)
    change = years(face) * PER_CENTURY if is_fran else stripes()
    changed: Any = (crop + change).clip(0, 255).astype(np.uint8)
    return paste_back(frame, changed, box_and_occlusion(crop), matrix)


def years(face: Face) -> float:
    """Return how far `fran` is to go, in centuries: from the estimate, within 0..100 years."""
    estimate = float(np.mean(face.age))
    target = estimate + state_manager.get_item("age_modifier_direction")
    start, end = np.clip([estimate / 100, target / 100], 0, 1)
    return float(end - start)


def stripes() -> NDArray[Any]:
    """Return the pattern of `styleganex_age`: it knows a direction and no years."""
    strength = state_manager.get_item("age_modifier_direction") * -2.5 / 100
    signs = np.where(np.arange(SIZE[0]) // 8 % 2, 1, -1)
    pattern: NDArray[Any] = signs[None, :, None] * STRIPE * strength
    return pattern


PROCESSOR = Processor(models, modify_age)
