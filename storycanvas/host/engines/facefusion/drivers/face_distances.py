"""How unlike the faces of a changed picture are to those that they should be like.

The file runs in FaceFusion's Python, beside `worker.py`, so it imports nothing but the standard
library. Only distances leave it: what a recogniser makes of a face identifies a person.
"""

from collections.abc import Callable, Sequence
from typing import Any

Distance = Callable[[Any, Any], float]
"""Measures how unlike two of FaceFusion's faces are; 0 is the same."""

MIN_OVERLAP = 0.3
"""Share of both boxes together from which on two faces are the same one, before and after."""


def distances(
    before: Sequence[Any],
    after: Sequence[Any],
    chosen: Sequence[Sequence[float]],
    source: Any | None,  # noqa: ANN401 - FaceFusion's face
    distance: Distance,
) -> dict[str, float | None] | None:
    """Compare faces before and after a change.

    Args:
        before: Faces of the picture that was changed.
        after: Faces of the changed picture.
        chosen: Boxes of those in `before` that were changed.
        source: The face that they should be like; None for what they were before.
        distance: Compares two faces.

    Returns:
        `before` and `after` of the changed face, of several the one that is least like; `before`
        is None without a source. `others` is the largest distance of a face that was not chosen
        to itself, None where there is none. None where a changed face is not found again.
    """
    changed: list[tuple[float, float | None]] = []
    others: list[float] = []
    for face in before:
        found = same_place(face, after)
        if not _is_in(face, chosen):
            others += [] if found is None else [distance(found, face)]
        elif found is None:
            return None
        elif source is None:
            changed.append((distance(found, face), None))
        else:
            changed.append((distance(found, source), distance(face, source)))
    if not changed:
        return None
    least_like, was = max(changed, key=lambda pair: pair[0])
    return {"before": was, "after": least_like, "others": max(others, default=None)}


def same_place(face: Any, faces: Sequence[Any]) -> Any | None:  # noqa: ANN401 - FaceFusion's faces
    """Find the face whose box overlaps that of another most, if by enough."""
    found = max(faces, key=lambda other: overlap(face, other), default=None)
    return found if found is not None and overlap(face, found) >= MIN_OVERLAP else None


def overlap(face: Any, other: Any) -> float:  # noqa: ANN401 - FaceFusion's faces
    """Return the share of two faces' boxes together that both of them cover, 0 to 1."""
    left, top, right, bottom = face.bounding_box
    other_left, other_top, other_right, other_bottom = other.bounding_box
    width = min(right, other_right) - max(left, other_left)
    height = min(bottom, other_bottom) - max(top, other_top)
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return float(common / (area(face) + area(other) - common))


def area(face: Any) -> float:  # noqa: ANN401 - FaceFusion's face
    """Return the pixels of a face's box."""
    left, top, right, bottom = face.bounding_box
    return float((right - left) * (bottom - top))


def largest(faces: Sequence[Any]) -> Any | None:  # noqa: ANN401 - FaceFusion's faces
    """Find the face that FaceFusion takes from the source of a swap (3.5.4 to 3.8.1)."""
    return max(faces, key=area, default=None)


def _is_in(face: Any, boxes: Sequence[Sequence[float]]) -> bool:  # noqa: ANN401 - FaceFusion's face
    return [float(edge) for edge in face.bounding_box] in [list(box) for box in boxes]
