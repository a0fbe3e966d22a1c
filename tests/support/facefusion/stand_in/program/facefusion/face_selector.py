"""Which faces of a picture are worked on."""

from collections.abc import Callable

import numpy as np

from facefusion import state_manager
from facefusion.face_creator import get_one_face, get_static_faces
from facefusion.types import Face
from facefusion.vision import Frame


def area(face: Face) -> float:
    """Return how many pixels the box of a face covers."""
    left, top, right, bottom = face.bounding_box
    return float((right - left) * (bottom - top))


ORDERS: dict[str, tuple[Callable[[Face], float], bool]] = {
    "left-right": (lambda face: float(face.bounding_box[0]), False),
    "right-left": (lambda face: float(face.bounding_box[0]), True),
    "top-bottom": (lambda face: float(face.bounding_box[1]), False),
    "bottom-top": (lambda face: float(face.bounding_box[1]), True),
    "small-large": (area, False),
    "large-small": (area, True),
    "best-worst": (lambda face: face.score_set["detector"], True),
    "worst-best": (lambda face: face.score_set["detector"], False),
}


def select_faces(
    reference_vision_frame: Frame | None,
    source_vision_frames: list[Frame | None],
    target_vision_frames: list[Frame | None],
) -> list[Face]:
    """Choose faces of the target by `face_selector_mode`: many, one or reference."""
    sources = get_static_faces(source_vision_frames)
    targets = get_static_faces([target_vision_frames[len(target_vision_frames) // 2]])
    mode = state_manager.get_item("face_selector_mode")
    if mode == "many":
        return sort_and_filter_faces(sources, targets)
    if mode == "one":
        return sort_and_filter_faces(sources, targets)[:1]
    known = sort_and_filter_faces(sources, get_static_faces([reference_vision_frame]))
    reference = get_one_face(known, state_manager.get_item("reference_face_position"))
    distance = state_manager.get_item("reference_face_distance")
    return find_match_faces([reference] if reference else [], targets, distance)


def sort_and_filter_faces(source_faces: list[Face], target_faces: list[Face]) -> list[Face]:
    """Bring faces into order, and keep those that pass the filters of gender, race and age."""
    key, backwards = ORDERS[state_manager.get_item("face_selector_order")]
    faces = sorted(target_faces, key=key, reverse=backwards)
    largest = max(source_faces, key=area, default=None)
    for trait in ("gender", "race"):
        wanted = state_manager.get_item(f"face_selector_{trait}")
        if wanted == "auto":
            wanted = getattr(largest, trait, None)
        if wanted:
            faces = [face for face in faces if getattr(face, trait) == wanted]
    return filter_faces_by_age(faces)


def filter_faces_by_age(faces: list[Face]) -> list[Face]:
    """Keep faces whose range of ages has an age in common with the wanted range.

    Raises:
        TypeError: When only one end of the wanted range is set, as it really happens.
    """
    start = state_manager.get_item("face_selector_age_start")
    end = state_manager.get_item("face_selector_age_end")
    if not start and not end:
        return faces
    wanted = set(range(start, end))
    return [face for face in faces if wanted & set(face.age)]


def find_match_faces(
    reference_faces: list[Face], target_faces: list[Face], face_distance: float
) -> list[Face]:
    """Choose the faces that are nearer to a reference than the distance 0..1; 0 finds none."""
    return [
        target
        for reference in reference_faces
        for target in target_faces
        if calculate_face_distance(target, reference) / 2 < face_distance
    ]


def calculate_face_distance(face: Face, reference_face: Face) -> float:
    """Return how unlike two faces are, 0..2."""
    return 1 - float(np.dot(face.embedding_norm, reference_face.embedding_norm))
