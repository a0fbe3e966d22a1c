"""How a head is turned, from the points of MediaPipe's mesh in space."""

import numpy as np

from storycanvas.faces.measures.measure import Floats

RIGHT_EYE, LEFT_EYE = 33, 263
"""Outer corners of the person's eyes, of which the right one is left in the picture."""
FOREHEAD, CHIN = 10, 152
"""Top and bottom of the outline, in the middle."""


def pose_of(points: Floats) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees, with the signs of `LandmarkedFace`.

    Args:
        points: 468 points; x to the right, y down, z away from the camera, all on one scale.
    """
    across = (points[LEFT_EYE] - points[RIGHT_EYE]).astype(np.float64)
    down = (points[CHIN] - points[FOREHEAD]).astype(np.float64)
    ahead = np.cross(down, across)  # towards the camera for a face that looks at it
    yaw = np.arctan2(ahead[0], -ahead[2])
    pitch = np.arctan2(-ahead[1], np.hypot(ahead[0], ahead[2]))
    roll = np.arctan2(across[1], across[0])
    yaw, pitch, roll = (round(float(np.degrees(angle)), 1) + 0.0 for angle in (yaw, pitch, roll))
    return yaw, pitch, roll
