"""The pose of a head from five points, against projections of a mean face that was turned."""

import math
from itertools import product

import numpy as np
import pytest

from storycanvas.host.engines.head_pose import HeadPose, head_pose

SCANNED_FACE = np.array(
    [
        *((-0.3115, -0.0904, 0.1338), (0.3098, -0.0897, 0.1318), (0.0033, 0.2462, 0.5524)),
        *((-0.2522, 0.5813, 0.2241), (0.2485, 0.5813, 0.2224)),
    ]
)
"""The five points of the Basel Face Model's mean face: right, down, towards the camera."""
ANGLES = range(-60, 61, 15)
FAR, PORTRAIT, ARM = math.inf, 15.0, 6.0
"""Distances of the camera in units of the face, which is 1.4 wide: 1.5 m, and 0.6 m."""


def axis_turn(first: int, second: int, degrees: float) -> np.ndarray:
    turn, angle = np.eye(3), math.radians(degrees)
    turn[first, first] = turn[second, second] = math.cos(angle)
    turn[first, second], turn[second, first] = -math.sin(angle), math.sin(angle)
    return turn


def projected(
    yaw: float, pitch: float, roll: float, *, distance: float = FAR, face: np.ndarray = SCANNED_FACE
) -> list[tuple[float, float]]:
    """Nod the face, turn it aside, tilt it in the picture, and project it at 200 pixels a unit."""
    turn = axis_turn(0, 1, roll) @ axis_turn(2, 0, yaw) @ axis_turn(1, 2, pitch)
    points = (face - face.mean(0)) @ turn.T
    flat = points[:, :2] / (1 - points[:, 2:] / distance)
    return [(320 + 200 * x, 240 + 200 * y) for x, y in flat]


def off(pose: HeadPose | None, yaw: float, pitch: float, roll: float) -> float:
    assert pose is not None
    return max(abs(pose.yaw - yaw), abs(pose.pitch - pitch), abs(pose.roll - roll))


@pytest.mark.parametrize(
    ("distance", "error"), [(FAR, 0.8), (PORTRAIT, 1.3), (ARM, 2.4)], ids=["far", "1.5 m", "0.6 m"]
)
def test_one_angle_from_minus_60_to_60_is_found(distance: float, error: float) -> None:
    turns = [turn for a in ANGLES for turn in ((a, 0, 0), (0, a, 0), (0, 0, a))]
    errors = {t: off(head_pose(projected(*t, distance=distance)), *t) for t in turns}
    assert max(errors.values()) <= error, errors


def test_three_angles_at_once_are_found() -> None:
    errors = {t: off(head_pose(projected(*t)), *t) for t in product(ANGLES, repeat=3)}
    assert max(errors.values()) <= 0.9, max(errors.items(), key=lambda item: item[1])


def test_other_faces_whose_points_are_off_by_two_millimetres_are_within_a_grade() -> None:
    """A grade of the remarks has 15 degrees; the noise stands for other faces and landmarks."""
    noise = np.random.default_rng(7)
    turns = [(0, 0, 0), (30, 0, 0), (-45, 10, 5), (0, 20, -30)]
    errors = [
        off(head_pose(projected(*turn, distance=PORTRAIT, face=face)), *turn)
        for face in SCANNED_FACE + noise.normal(0, 0.02, (200, *SCANNED_FACE.shape))
        for turn in turns
    ]
    assert np.percentile(errors, 95) < 9


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([(5.0, 5.0)] * 5, "one place"),
        ([(float(x), 0.0) for x in range(5)], "a line"),
        ([(0.0, 0.0), (1.0, 0.0), (math.nan, 1.0), (0.0, 2.0), (1.0, 2.0)], "not a number"),
        ([(0.0, 0.0), (1.0, 0.0)], "two points"),
    ],
)
def test_points_that_show_no_face_have_no_pose(points: list[tuple[float, float]], why: str) -> None:
    assert head_pose(points) is None, why
