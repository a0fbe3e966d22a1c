"""The face of a group picture that is most like a person: by likeness, not by its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import FacesTooAlike, NoFace, NoFaceAlike
from storycanvas.faces.measures.measure import SAME_BELOW, LikenessScale
from storycanvas.faces.pictures.boxes import MIN_OVERLAP, Box, box_of, overlap

MIN_LEAD: Mapping[LikenessScale, float] = {"facefusion": 0.05, "dlib": 0.1}
"""By how much the nearest face must be nearer than the next one. Two pictures of one person differ
by 0.2 on dlib's scale (mirrored, grey, small, blurred), so a smaller lead is chance as often as
not."""

_REMEDY = "choose one by face_box or face_position instead"


@dataclass(frozen=True)
class ChosenFace:
    """The face that was chosen.

    Attributes:
        box: Left, top, width and height in pixels.
        distance: How unlike it is to the person.
        next_distance: That of the next face; None where there is no other.
    """

    box: Box
    distance: float
    next_distance: float | None

    def sentence(self, name: str) -> str:
        """Say which face of a picture was chosen, and by how much."""
        others = "" if self.next_distance is None else f", the next one's {self.next_distance:.2f}"
        return (
            f"In the picture '{name}' the face at {self.box} was chosen by likeness: its distance "
            f"is {self.distance:.2f}{others}."
        )


def most_alike(
    name: str,
    faces: Sequence[DetectedFace],
    distances: Sequence[float | None],
    scale: LikenessScale,
    same_below: float | None = None,
) -> ChosenFace:
    """Choose the face that is most like a person, unless that is not clear.

    Args:
        name: What messages call the picture.
        faces: All faces of it.
        distances: How unlike each is to the person; None where it could not be measured.
        scale: Whose distances they are.
        same_below: Bound for a face to be like the person at all; None takes that of the scale.

    Raises:
        NoFace: There is none, or none that could be measured.
        NoFaceAlike: The nearest face is not like the person.
        FacesTooAlike: Two faces are nearly as like.
    """
    known = [
        (distance, box_of(face))
        for face, distance in zip(faces, distances, strict=True)
        if distance is not None
    ]
    ordered = sorted(known)
    if not ordered:
        raise NoFace(
            f"No face of the picture '{name}' could be compared with the person of face_of; "
            f"{_REMEDY}."
        )
    bound = SAME_BELOW[scale] if same_below is None else same_below
    distance, box = ordered[0]
    if distance >= bound:
        raise NoFaceAlike(
            f"No face of the picture '{name}' is like the person of face_of: the nearest, at "
            f"{box}, has the distance {distance:.2f}, which must be below {bound:.2f}; name "
            f"another picture, or {_REMEDY}."
        )
    if len(ordered) == 1:
        return ChosenFace(box, distance, None)
    next_distance, next_box = ordered[1]
    if next_distance - distance < MIN_LEAD[scale]:
        raise FacesTooAlike(
            f"Two faces of the picture '{name}' are nearly as like the person of face_of: that at "
            f"{box} has the distance {distance:.2f}, that at {next_box} {next_distance:.2f}, and "
            f"they must differ by {MIN_LEAD[scale]:.2f}; {_REMEDY}."
        )
    return ChosenFace(box, distance, next_distance)


def matched_distances(
    faces: Sequence[DetectedFace], measured: Sequence[tuple[Box, float]]
) -> list[float | None]:
    """Give each detected face the distance of the measured face that it overlaps most."""
    found: list[float | None] = []
    for face in faces:
        shares = [(overlap(box_of(face), box), distance) for box, distance in measured]
        share, distance = max(shares, default=(0.0, 0.0))
        found.append(distance if share >= MIN_OVERLAP else None)
    return found
