"""Crops of faces, and the way back into the picture."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facefusion.vision import Frame

Points = NDArray[Any]
# Eyes, nose and corners of the mouth in parts of the crop: about where FaceFusion 3.8.1 puts them.
TEMPLATES = {
    "arcface_112_v2": (
        (0.342, 0.461),
        (0.657, 0.461),
        (0.5, 0.641),
        (0.371, 0.824),
        (0.632, 0.824),
    ),
    "arcface_128": ((0.362, 0.403), (0.637, 0.403), (0.5, 0.56), (0.387, 0.721), (0.615, 0.721)),
    "ffhq_512": ((0.377, 0.469), (0.623, 0.469), (0.501, 0.613), (0.393, 0.725), (0.611, 0.725)),
}


def warp_face_by_face_landmark_5(
    temp_vision_frame: Frame,
    face_landmark_5: Points,
    warp_template: str,
    crop_size: tuple[int, int],
) -> tuple[Frame, Points]:
    """Cut a face out, turned and scaled so that its five points lie where the template says.

    Args:
        temp_vision_frame: The picture.
        face_landmark_5: The five points, in its pixels.
        warp_template: One of `TEMPLATES`.
        crop_size: Width and height of the crop.

    Returns:
        The crop, and the 2x3 matrix from the picture's pixels to the crop's.
    """
    goal = np.array(TEMPLATES[warp_template]) * crop_size
    matrix = similarity(np.asarray(face_landmark_5, np.float64), goal)
    crop = cv2.warpAffine(
        temp_vision_frame, matrix, crop_size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return crop, matrix


def similarity(points: Points, goal: Points) -> Points:
    """Find the turn, scale and shift that bring points nearest to where they should be."""
    here, there = points @ (1, 1j), goal @ (1, 1j)
    away = here - here.mean()
    turn = (away.conj() @ there) / (away.conj() @ away)
    shift = there.mean() - turn * here.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def scale_face_landmark_5(face_landmark_5: Points, scale: float) -> Points:
    """Move the five points away from the nose, so that a crop shows more around the face."""
    nose = face_landmark_5[2]
    scaled: Points = (face_landmark_5 - nose) * scale + nose
    return scaled


def paste_back(
    temp_vision_frame: Frame,
    crop_vision_frame: Frame,
    crop_vision_mask: Points,
    affine_matrix: Points,
) -> Frame:
    """Put a changed crop back where it was cut out, as far as the mask (0..1) lets it through."""
    back = cv2.invertAffineTransform(affine_matrix)
    size = temp_vision_frame.shape[1::-1]
    mask = cv2.warpAffine(crop_vision_mask, back, size).clip(0, 1)[:, :, None]
    changed = cv2.warpAffine(crop_vision_frame, back, size, borderMode=cv2.BORDER_REPLICATE)
    mixed: Frame = temp_vision_frame * (1 - mask) + changed * mask
    return mixed.astype(np.uint8)
