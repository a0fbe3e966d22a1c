"""Brightens a face, by a step of its own for each model."""

from typing import Any

import cv2
import numpy as np

from facefusion import inference_manager, state_manager
from facefusion.face_helper import paste_back, warp_face_by_face_landmark_5
from facefusion.processors.masks import box_and_occlusion
from facefusion.processors.processor import Processor
from facefusion.types import Face
from facefusion.vision import Frame

SIZE = (512, 512)
STEPS = {  # in the models' range from -1 to 1
    "gfpgan_1.2": 0.20,
    "gfpgan_1.3": 0.25,
    "gfpgan_1.4": 0.30,
    "gpen_bfr_256": 0.35,
    "gpen_bfr_512": 0.40,
    "gpen_bfr_1024": 0.45,
    "gpen_bfr_2048": 0.50,
    "restoreformer_plus_plus": 0.15,
}
CODEFORMER = 1.1  # times the weight


def models() -> tuple[str, ...]:
    """Return the file of the chosen model."""
    return (state_manager.get_item("face_enhancer_model"),)


def step() -> float:
    """Return by how much the chosen model brightens."""
    model = state_manager.get_item("face_enhancer_model")
    weight: float = state_manager.get_item("face_enhancer_weight")
    return STEPS.get(model, CODEFORMER * weight)


def enhance(face: Face, frame: Frame, _source: Face | None) -> Frame:
    """Brighten one face, and mix the result with the picture by the blend."""
    inference_manager.load(models())
    template = "arcface_128" if models() == ("gpen_bfr_256",) else "ffhq_512"
    crop, matrix = warp_face_by_face_landmark_5(frame, face.landmark_set["5/68"], template, SIZE)
    mask = box_and_occlusion(crop)
    brighter: Any = (crop + step() * 127.5).round().clip(0, 255).astype(np.uint8)
    pasted = paste_back(frame, brighter, mask, matrix)
    blend = state_manager.get_item("face_enhancer_blend") / 100
    return cv2.addWeighted(frame, 1 - blend, pasted, blend, 0)


PROCESSOR = Processor(models, enhance)
