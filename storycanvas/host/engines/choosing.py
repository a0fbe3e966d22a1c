"""Which of the faces of a picture an operation works on, decided alike for every engine."""

from collections.abc import Callable, Sequence

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import NoFace
from storycanvas.faces.operations import REFERENCE_IMAGE, FaceOperation, FaceSelectorMode
from storycanvas.faces.pictures.boxes import MIN_OVERLAP, box_of, overlap

_ALL = {FaceSelectorMode.MANY, FaceSelectorMode.ALL}


def choose(
    operation: FaceOperation,
    faces: Sequence[DetectedFace],
    like_reference: Sequence[bool] | None,
    alike: Callable[[int], Sequence[int]],
) -> tuple[int, ...]:
    """Choose faces of the picture worked on.

    Args:
        operation: What chooses.
        faces: All faces, in selector order; at least one.
        like_reference: Which of them look like the reference picture; None without one.
        alike: Finds the faces that look like the face at a place, itself included.

    Returns:
        Places of the faces, in selector order.

    Raises:
        NoFace: There are fewer faces than asked for, or none where it is asked for.
    """
    places = _like_the_reference(operation, like_reference, len(faces))
    mode = operation.face_selector_mode
    if mode in _ALL:
        return places
    if mode is FaceSelectorMode.REFERENCE and like_reference is not None:
        return places
    place = _one(operation, faces, places)
    return tuple(alike(place)) if mode is FaceSelectorMode.REFERENCE else (place,)


def _like_the_reference(
    operation: FaceOperation, like_reference: Sequence[bool] | None, count: int
) -> tuple[int, ...]:
    if like_reference is None:
        return tuple(range(count))
    places = tuple(place for place in range(count) if like_reference[place])
    if not places:
        raise NoFace(
            f"None of the {count} faces of {operation.pictures[-1]} looks like the first face of "
            f"{REFERENCE_IMAGE} within a reference_face_distance of "
            f"{operation.reference_face_distance}; raise it, or send another reference picture."
        )
    return places


def _one(operation: FaceOperation, faces: Sequence[DetectedFace], places: Sequence[int]) -> int:
    if operation.face_box is not None:
        box = operation.face_box
        place = max(places, key=lambda place: overlap(box, box_of(faces[place])))
        nearest = box_of(faces[place])
        if overlap(box, nearest) < MIN_OVERLAP:
            raise NoFace(
                f"No face of {operation.pictures[-1]} overlaps face_box {box} by {MIN_OVERLAP:.0%} "
                f"of both; the nearest has the box {nearest}, as detect-faces shows it."
            )
        return place
    if operation.face_position >= len(places):
        raise NoFace(
            f"face_position {operation.face_position} is behind the last of the {len(places)} "
            f"faces of {operation.pictures[-1]}; positions begin with 0."
        )
    return places[operation.face_position]


def note_on_smaller(faces: Sequence[DetectedFace], chosen: Sequence[int]) -> str | None:
    """Write that a face was worked on which is not the largest; None if it is, or if all were."""
    if len(chosen) != 1:
        return None
    face, largest = faces[chosen[0]], max(faces, key=_area)
    if _area(face) >= _area(largest):
        return None
    return (
        f"The face worked on has {face.width} x {face.height} pixels at {face.x}, {face.y}; the "
        f"largest has {largest.width} x {largest.height} at {largest.x}, {largest.y}. "
        "face_position, face_box or face_selector_order choose another."
    )


def _area(face: DetectedFace) -> int:
    return face.width * face.height
