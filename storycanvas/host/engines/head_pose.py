"""How a head is turned, from the five points that faces are aligned by.

The five points of a mean face are fitted to those of a picture by scaled orthography: the linear
step of POS (DeMenthon and Davis, "Model-Based Object Pose in 25 Lines of Code", 1995), whose two
rows are then made orthogonal and equally long. A camera farther than ten widths of the face is
taken for one without perspective.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_MEAN_FACE = np.array(
    [(-31, 0, 0), (31, 0, 0), (0, 34, 42), (-25, 67, 9), (25, 67, 9)], dtype=np.float64
)
"""Millimetres to the right, down and towards the camera, seen from the front: eyes, tip of the
nose and corners of the mouth of the Basel Face Model's mean face, from between its eyes."""
_CENTRED = _MEAN_FACE - _MEAN_FACE.mean(0)
_FIT = np.linalg.pinv(_CENTRED)
_SMALLEST_SCALE = 1e-6


class HeadPose(NamedTuple):
    """How a head is turned, in degrees; 0, 0, 0 looks straight into the camera.

    Attributes:
        yaw: Towards the right edge of the picture, -90 to 90.
        pitch: Upwards, -180 to 180.
        roll: Clockwise in the picture, -180 to 180; it alone tilts the line of the eyes.
    """

    yaw: float
    pitch: float
    roll: float


def head_pose(points: Sequence[tuple[float, float]]) -> HeadPose | None:
    """Estimate the pose of a head; None where its points do not show one.

    Args:
        points: Left eye, right eye, tip of the nose, left and right corner of the mouth, as an
            upright face shows them, in pixels to the right and down.
    """
    seen = np.asarray(points, dtype=np.float64)
    if seen.shape != (len(_MEAN_FACE), 2) or not np.isfinite(seen).all():
        return None
    left, scales, right = np.linalg.svd((_FIT @ (seen - seen.mean(0))).T, full_matrices=False)
    if scales[-1] < _SMALLEST_SCALE:
        return None
    across, down = left @ right
    roll = math.atan2(down[0], across[0])
    tilted_back = np.array([[math.cos(roll), math.sin(roll)], [-math.sin(roll), math.cos(roll)]])
    across, down = tilted_back @ (across, down)
    pitch = math.atan2(-down[2], down[1])
    sideways = across[1] * math.sin(pitch) + across[2] * math.cos(pitch)
    return HeadPose(*map(_degrees, (math.atan2(sideways, across[0]), pitch, roll)))


def _degrees(angle: float) -> float:
    return round(math.degrees(angle), 1) + 0.0  # without the sign of -0.0
