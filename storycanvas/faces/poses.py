"""Which faces are turned too far, or were found too unsurely, for good results."""

import math
from collections.abc import Mapping

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.pictures.sizes import Remarks

VERY_GOOD, ACCEPTABLE, MARGINAL = 15.0, 30.0, 45.0
"""Degrees up to which results are so; beyond the last they are poor."""

SURE_SCORE = 0.7
"""The detector's score from which on nothing is said."""


def pose_remarks(source: str, faces: Mapping[str, DetectedFace]) -> Remarks:
    """Judge how far the face of the source picture is turned, and how surely it was found.

    With other pictures, which get that face, the angle between both counts: a face that looks the
    same way fits, wherever that is. The tilt within the picture does not count, since every face is
    turned upright before it is worked on.

    Args:
        source: What messages call the picture whose face the work starts from.
        faces: The face that counts, by picture; a picture without one is left out.
    """
    face = faces.get(source)
    if face is None:
        return Remarks()
    found = _angle_remarks(source, face, faces)
    return Remarks(
        tuple(text for angle, text in found if angle > ACCEPTABLE),
        tuple(text for angle, text in found if angle <= ACCEPTABLE) + _score_notes(source, face),
    )


def _angle_remarks(
    source: str, face: DetectedFace, faces: Mapping[str, DetectedFace]
) -> list[tuple[float, str]]:
    """List angles that are worth a sentence, with it; one that is not known is not."""
    others = {name: other for name, other in faces.items() if name != source}
    if not others:
        angle = _angle(_direction(face), (0.0, 0.0, 1.0))
        shown = f"The face in the {source} picture is turned away from the camera"
        return _judged(angle, shown, "take a picture from the front")
    found: list[tuple[float, str]] = []
    for name, other in others.items():
        angle = _angle(_direction(face), _direction(other))
        shown = f"The faces in the {source} and {name} pictures look in different directions"
        found += _judged(angle, shown, "take pictures whose angles match")
    return found


def _judged(angle: float | None, shown: str, remedy: str) -> list[tuple[float, str]]:
    if angle is None or angle <= VERY_GOOD:
        return []
    if angle <= ACCEPTABLE:
        judgement = f"acceptable; up to {VERY_GOOD:g} is very good."
    else:
        quality = "marginal" if angle <= MARGINAL else "poor, to be avoided"
        judgement = f"{quality}; {remedy}, up to {ACCEPTABLE:g} degrees."
    return [(angle, f"{shown}, by {angle:g} degrees: {judgement}")]


def _score_notes(source: str, face: DetectedFace) -> tuple[str, ...]:
    if face.score is None or face.score >= SURE_SCORE:
        return ()
    shown = f"The detector's score of the face in the {source} picture is {face.score:g}"
    return (f"{shown}; a sharp picture from the front has {SURE_SCORE:g} or more.",)


Direction = tuple[float, float, float]


def _direction(face: DetectedFace) -> Direction | None:
    """Return where a face looks: right, down and towards the camera; None if it is not known."""
    if face.yaw is None or face.pitch is None:
        return None
    yaw, pitch = math.radians(face.yaw), math.radians(face.pitch)
    return math.cos(pitch) * math.sin(yaw), -math.sin(pitch), math.cos(pitch) * math.cos(yaw)


def _angle(first: Direction | None, second: Direction | None) -> float | None:
    """Return the angle between two directions in whole degrees."""
    if first is None or second is None:
        return None
    cosine = sum(one * other for one, other in zip(first, second, strict=True))
    return float(round(math.degrees(math.acos(max(-1.0, min(1.0, cosine))))))
