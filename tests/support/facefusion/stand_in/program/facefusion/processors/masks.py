"""The mask that the chosen mask types make together."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion import state_manager
from facefusion.face_masker import (
    create_area_mask,
    create_box_mask,
    create_occlusion_mask,
    create_region_mask,
)
from facefusion.types import Face
from facefusion.vision import Frame

NO_PADDING = (0, 0, 0, 0)


def box_and_occlusion(crop: Frame) -> NDArray[Any]:
    """Return the mask of enhancers and ageing: always the box, and the occluder when chosen."""
    masks = [create_box_mask(crop, state_manager.get_item("face_mask_blur"), NO_PADDING)]
    if "occlusion" in state_manager.get_item("face_mask_types"):
        masks.append(create_occlusion_mask(crop))
    return together(masks)


def of_all_types(crop: Frame, face: Face, matrix: NDArray[Any], blur: float) -> NDArray[Any]:
    """Return the mask of swapping and drawing: what all chosen types let through.

    Args:
        crop: The face, cut out.
        face: The face, in pixels of the picture.
        matrix: From the picture's pixels to the crop's.
        blur: Of the box, 0..1.
    """
    padding = state_manager.get_item("face_mask_padding")
    points = cv2.transform(face.landmark_set["68"][None], matrix)[0]
    areas = state_manager.get_item("face_mask_areas")
    regions = state_manager.get_item("face_mask_regions")
    makers: dict[str, Callable[[], NDArray[Any]]] = {
        "box": lambda: create_box_mask(crop, blur, padding),
        "occlusion": lambda: create_occlusion_mask(crop),
        "area": lambda: create_area_mask(crop, points, areas),
        "region": lambda: create_region_mask(crop, regions),
    }
    chosen = state_manager.get_item("face_mask_types")
    return together([make() for name, make in makers.items() if name in chosen])


def together(masks: list[NDArray[Any]]) -> NDArray[Any]:
    """Let through what every mask lets through."""
    least: NDArray[Any] = np.minimum.reduce(masks)
    return least.clip(0, 1)
