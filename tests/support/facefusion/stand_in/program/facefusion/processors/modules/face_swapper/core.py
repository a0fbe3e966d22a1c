"""Mixes a face half and half with a colour that stands for the source's face."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facefusion import inference_manager, state_manager
from facefusion.face_helper import paste_back, warp_face_by_face_landmark_5
from facefusion.processors.masks import of_all_types
from facefusion.processors.processor import Processor
from facefusion.types import Face
from facefusion.vision import Frame

MOST_OF_TARGET = 0.35
CONVERTERS = {
    "ghost": "crossface_ghost",
    "hififace": "crossface_hififace",
    "simswap": "crossface_simswap",
}


def models() -> tuple[str, ...]:
    """Return the files of the chosen model; some need a converter of embeddings as well."""
    model = str(state_manager.get_item("face_swapper_model"))
    converter = CONVERTERS.get(model.split("_", maxsplit=1)[0])
    return (model, converter) if converter else (model,)


def swap(face: Face, frame: Frame, source: Face | None) -> Frame:
    """Put the source's colour over one face."""
    if source is None:
        return frame
    inference_manager.load(models())
    width, height = map(int, state_manager.get_item("face_swapper_pixel_boost").split("x"))
    marks = face.landmark_set["5/68"]
    crop, matrix = warp_face_by_face_landmark_5(frame, marks, "arcface_128", (width, height))
    mask = of_all_types(crop, face, matrix, state_manager.get_item("face_mask_blur"))
    mixed = (crop * 0.5 + colour(face, source) * 0.5).clip(0, 255).astype(np.uint8)
    return paste_back(frame, mixed, mask, matrix)


def colour(face: Face, source: Face) -> NDArray[Any]:
    """Return the colour (BGR, 0..255) of the source, nearer to the target's with a low weight."""
    weight = (1 - 2 * state_manager.get_item("face_swapper_weight")) * MOST_OF_TARGET
    mean = source.embedding_norm[:3] * (1 - weight) + face.embedding_norm[:3] * weight
    flat: NDArray[Any] = 255 / (1 + np.exp(-4 * mean[::-1]))
    return flat


PROCESSOR = Processor(models, swap, needs_source=True)
