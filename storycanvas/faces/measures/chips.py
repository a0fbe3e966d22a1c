"""Cutting a face out as dlib's networks were trained on it."""

import math

import cv2
import numpy as np

from storycanvas.faces.measures.measure import Bytes, Floats, LandmarkedFace

_POINTS = (263, 362, 33, 133, 2)
"""Of the mesh: outer and inner corner of the person's left eye, of the right eye, the nose."""
_PLACES = np.array(
    [(0.8862, 0.2126), (0.6476, 0.2231), (0.1138, 0.2126), (0.3524, 0.2231), (0.5, 0.5925)]
)
"""Where these points lie in a chip without padding, in sides.

The mesh's corners of the eyes are not where dlib's five points are (a fiftieth of a face further
up), and a chip that is off by that reads ten years more. So these are the mesh's own points in
chips that dlib cut by its own: the mean of three persons in five photographs, made symmetric.
"""
_MAX_TIMES = 64


def face_chip(rgb: Bytes, face: LandmarkedFace, side: int, padding: float) -> Bytes:
    """Cut a face out, upright, as `dlib.get_face_chip` does by its five points.

    Args:
        rgb: Height x width x 3.
        face: The face in it.
        side: Pixels of the square that comes out.
        padding: Around the face, in its sides.
    """
    places = np.asarray((_PLACES + padding) / (2 * padding + 1) * side, np.float32)
    matrix = _similarity(face.points[list(_POINTS), :2], places)
    # A large face is cut out larger and averaged down, or single pixels of it would stand for many.
    times = math.ceil(1 / max(float(np.hypot(*matrix[:, 0])), 1 / _MAX_TIMES))
    large = cv2.warpAffine(rgb, matrix * times, (side * times, side * times))
    return np.asarray(cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _similarity(start: Floats, end: Floats) -> Floats:
    """Return the turn, scale and shift (2 x 3) that bring points closest to others."""
    first, second = start[:, 0] + 1j * start[:, 1], end[:, 0] + 1j * end[:, 1]
    centred = first - first.mean()
    turn = (np.conj(centred) @ (second - second.mean())) / max((abs(centred) ** 2).sum(), 1e-9)
    shift = second.mean() - turn * first.mean()
    rows = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    return np.array(rows, np.float64)
