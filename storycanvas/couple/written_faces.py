"""The faces of a template as its documents write them (docs/pipelines/couple-face-swap.md)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite
from typing import Any, TypeGuard

from storycanvas.faces.errors import BadField


class Person(StrEnum):
    """Whose face is put in."""

    HUSBAND = "husband"
    WIFE = "wife"


class Gender(StrEnum):
    """What the app's detector calls a face."""

    MALE = "male"
    FEMALE = "female"


_GENDERS = {1: Gender.MALE, 0: Gender.FEMALE} | {str(gender): gender for gender in Gender}
_ROLES = {str(person): person for person in Person}


@dataclass(frozen=True)
class Corners:
    """A box by its edges.

    Attributes:
        edges: Left, top, right and bottom.
        shares: Whether they are shares of the picture's sides, else pixels.
    """

    edges: tuple[float, float, float, float]
    shares: bool


_NAMED_SIDES = ("left", "top", "right", "bottom")
_NAMED_SIZE = ("x", "y", "width", "height")
_SIDES = 4


class BoxForm(StrEnum):
    """What the last two of four numbers without names are."""

    CORNERS = "right and bottom"
    SIZE = "width and height"


@dataclass(frozen=True)
class WrittenFace:
    """A face that a document names.

    Attributes:
        index: What `target_face_index` calls it.
        corners: Where it is, by the form of its box; empty where that cannot be read.
        gender: None where it is not known.
        role: Who goes there.
    """

    index: int
    corners: Mapping[BoxForm, Corners]
    gender: Gender | None = None
    role: Person | None = None


@dataclass(frozen=True)
class FaceData:
    """What the documents of a template tell of its faces.

    Attributes:
        faces: The faces, in the documents' order.
        numbers_faces: Whether an index means one of these; else faces are counted from the left.
    """

    faces: tuple[WrittenFace, ...] = ()
    numbers_faces: bool = True


def face_data(
    positions: object,
    preprocessing: Mapping[str, Any] | None = None,
    asked_at: datetime | None = None,
) -> FaceData:
    """Read what the documents of a template tell of its faces.

    Args:
        positions: `face_positions` of the template.
        preprocessing: Its document of `template_preprocessing`, which is stronger once it is
            `completed`.
        asked_at: When the indices were chosen, UTC; those of faces that were found later are not
            what the person saw.

    Raises:
        BadField: The faces are no list of faces.
    """
    if preprocessing is None or preprocessing.get("preprocessing_status") != "completed":
        return FaceData(read_faces(positions, "face_positions"))
    faces = read_faces(preprocessing.get("face_data"), "face_data")
    found_at = preprocessing.get("processed_at")
    late = (
        isinstance(found_at, datetime) and asked_at is not None and _utc(found_at) > _utc(asked_at)
    )
    return FaceData(faces, numbers_faces=not late)


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def read_faces(written: object, field: str) -> tuple[WrittenFace, ...]:
    """Read a list of faces.

    Raises:
        BadField: It is no list, or an index stands twice.
    """
    if written is None:
        return ()
    if not isinstance(written, list | tuple):
        raise BadField(f"{field} is no list of faces; write one entry a face, with its box.")
    faces = tuple(_face(entry, place) for place, entry in enumerate(written))
    indices = [face.index for face in faces]
    if len(set(indices)) < len(indices):
        raise BadField(f"{field} has an index twice; its indices are {indices}.")
    return faces


def _face(entry: object, place: int) -> WrittenFace:
    if not isinstance(entry, Mapping):
        return WrittenFace(place, dict(_readings(entry)))
    index = entry.get("index")
    gender, role = entry.get("gender"), entry.get("role")
    return WrittenFace(
        index=place if index is None else _index(index),
        corners=dict(_readings(entry)),
        gender=_GENDERS.get(gender) if isinstance(gender, int | str) else None,
        role=_ROLES.get(role) if isinstance(role, str) else None,
    )


def _index(written: object) -> int:
    if isinstance(written, bool) or not isinstance(written, int) or written < 0:
        raise BadField(f"The index {written!r} of a face is no whole number from 0 on.")
    return written


def _readings(entry: object) -> Iterator[tuple[BoxForm, Corners]]:
    """Read a box in each form that it may have; one that is spelt out has the same in all."""
    for form in BoxForm:
        read = _corners(entry, form)
        if read is not None:
            left, top, right, bottom = read.edges
            if left < right and top < bottom:
                yield form, read


def _corners(entry: object, form: BoxForm) -> Corners | None:
    if isinstance(entry, Mapping):
        for name in ("bbox", "box"):
            if entry.get(name) is not None:
                return _corners(entry[name], form)
        for names, named in ((_NAMED_SIZE, BoxForm.SIZE), (_NAMED_SIDES, BoxForm.CORNERS)):
            if all(name in entry for name in names):
                return _of_numbers([entry[name] for name in names], named)
        return None
    return _of_numbers(list(entry), form) if isinstance(entry, list | tuple) else None


def _of_numbers(numbers: list[object], form: BoxForm) -> Corners | None:
    read = [float(number) for number in numbers if _is_number(number)]
    if len(numbers) != _SIDES or len(read) != _SIDES:
        return None
    left, top, third, fourth = read
    shares = max(map(abs, read)) <= 1
    if form is BoxForm.SIZE:
        return Corners((left, top, left + third, top + fourth), shares)
    return Corners((left, top, third, fourth), shares)


def _is_number(value: object) -> TypeGuard[int | float]:
    return not isinstance(value, bool) and isinstance(value, int | float) and isfinite(value)
