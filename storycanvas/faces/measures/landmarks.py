"""468 points on each face of a picture, by MediaPipe's models."""

import math

import cv2
import numpy as np

from storycanvas.faces.measures.detection import FaceDetector, FoundFace
from storycanvas.faces.measures.measure import Bytes, Floats, LandmarkedFace
from storycanvas.faces.measures.networks import Network, sigmoid
from storycanvas.faces.measures.pose import LEFT_EYE, RIGHT_EYE, pose_of
from storycanvas.faces.measures.weights import FACE_MESH
from storycanvas.faces.pictures.boxes import Box, overlap

POINTS = 468
MIN_FIT = 0.5
"""As in MediaPipe; below it there is no face that the points lie on."""
_SIDE = 192
_AROUND = 1.5
"""Side of the square that the network sees, in sides of the face's box."""
_SAME_FACE = 0.3
_TURNED = math.radians(10)
"""A face whose points lie this much more tilted than it was cut out is cut out again."""


class MeshFinder:
    """A `LandmarkFinder` on MediaPipe's models."""

    def __init__(self) -> None:
        self._detector = FaceDetector()
        self._mesh = Network(FACE_MESH)

    def find(self, rgb: Bytes) -> tuple[LandmarkedFace, ...]:
        """Find the faces of a picture (height x width x 3) and their points, the largest first.

        Raises:
            WeightsMissing: The models are not installed.
            WeightsChanged: They are not the known ones.
            OutputNotFinite: A model answered with no finite number.
        """
        if min(rgb.shape[:2]) == 0:
            return ()
        faces: list[LandmarkedFace] = []
        for found in self._detector.detect(rgb):
            fit, points = self._points(rgb, found)
            if fit < MIN_FIT:
                continue
            face = landmarked(fit, points, rgb.shape[:2])
            if all(overlap(face.box, other.box) < _SAME_FACE for other in faces):
                faces.append(face)
        return tuple(sorted(faces, key=lambda face: -face.box[2] * face.box[3]))

    def _points(self, rgb: Bytes, found: FoundFace) -> tuple[float, Floats]:
        fit, points = self._points_in(rgb, found)
        again = _around(found.score, points)
        if fit < MIN_FIT or abs(_difference(again.roll, found.roll)) < _TURNED:
            return fit, points
        return self._points_in(rgb, again)

    def _points_in(self, rgb: Bytes, found: FoundFace) -> tuple[float, Floats]:
        matrix = _square_of(found)
        square = cv2.warpAffine(
            rgb, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        outputs = self._mesh.run(np.asarray(square, np.float32) / np.float32(255))
        flag, mesh = sorted(outputs, key=lambda output: output.size)
        mesh = mesh.reshape(POINTS, 3)
        points = np.empty_like(mesh)
        points[:, :2] = mesh[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        points[:, 2] = mesh[:, 2] * (found.side * _AROUND / _SIDE)
        return float(sigmoid(float(flag.reshape(-1)[0]))), points


def landmarked(fit: float, points: Floats, size: tuple[int, ...]) -> LandmarkedFace:
    """Describe a face by its points.

    Args:
        fit: How surely the points lie on a face, 0 to 1.
        points: 468 points.
        size: Height and width of the picture, beyond which the box does not go.
    """
    yaw, pitch, roll = pose_of(points)
    return LandmarkedFace(_box_of(points, size), points, fit, yaw, pitch, roll)


def _box_of(points: Floats, size: tuple[int, ...]) -> Box:
    height, width = size
    left, top = (int(v) for v in np.floor(points[:, :2].min(0)))
    right, bottom = (int(v) for v in np.ceil(points[:, :2].max(0)))
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    return left, top, max(min(right, width) - left, 1), max(min(bottom, height) - top, 1)


def _around(score: float, points: Floats) -> FoundFace:
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    across = points[LEFT_EYE] - points[RIGHT_EYE]
    side = float((high - low).max())
    return FoundFace(score, (low + high) / 2, side, float(np.arctan2(across[1], across[0])))


def _square_of(found: FoundFace) -> Floats:
    """Return the map from the network's square to the picture, turned as the face is."""
    scale = found.side * _AROUND / _SIDE
    cosine, sine = math.cos(found.roll) * scale, math.sin(found.roll) * scale
    turned = np.array([[cosine, -sine], [sine, cosine]], np.float32)
    corner = found.centre - turned @ np.full(2, _SIDE / 2, np.float32)
    return np.hstack([turned, corner[:, None]]).astype(np.float32)


def _difference(first: float, second: float) -> float:
    return math.remainder(first - second, math.tau)
