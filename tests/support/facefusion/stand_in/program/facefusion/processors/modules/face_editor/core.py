"""Tints a face: red for settings that add up above zero, blue for below."""

import numpy as np

from facefusion import contract, inference_manager, state_manager
from facefusion.face_helper import (
    paste_back,
    scale_face_landmark_5,
    warp_face_by_face_landmark_5,
)
from facefusion.face_masker import create_box_mask
from facefusion.processors.masks import NO_PADDING
from facefusion.processors.processor import Processor
from facefusion.types import Face
from facefusion.vision import Frame

SIZE = (512, 512)
STRONGEST = 0.5 * 255
MODELS = tuple(
    f"live_portrait_{part}"
    for part in (
        "feature_extractor",
        "motion_extractor",
        "eye_retargeter",
        "lip_retargeter",
        "stitcher",
        "generator",
    )
)


def models() -> tuple[str, ...]:
    """Return the files of the only model."""
    return MODELS


def total() -> float:
    """Add up the settings, each from -1 to 1."""
    keys = sorted(contract.step_keys())
    settings = [key for key in keys if key.startswith("face_editor_") and "model" not in key]
    return float(sum(state_manager.get_item(key) for key in settings))


def edit(face: Face, frame: Frame, _source: Face | None) -> Frame:
    """Tint one face and what is around it."""
    inference_manager.load(MODELS)
    points = scale_face_landmark_5(face.landmark_set["5/68"], 1.5)
    crop, matrix = warp_face_by_face_landmark_5(frame, points, "ffhq_512", SIZE)
    mask = create_box_mask(crop, state_manager.get_item("face_mask_blur"), NO_PADDING)
    tint = np.clip([-total(), 0, total()], 0, 1) * STRONGEST
    tinted = (crop + tint).clip(0, 255).astype(np.uint8)
    return paste_back(frame, tinted, mask, matrix)


PROCESSOR = Processor(models, edit)
