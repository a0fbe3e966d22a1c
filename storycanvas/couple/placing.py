"""Who goes where: which person's face is put onto which face of a template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from storycanvas.couple.found_faces import TemplateFaces, from_the_left
from storycanvas.couple.written_faces import Gender, Person
from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import BadField, NoFace

COUPLE = 2
MAX_MAPPINGS = 64
"""Swaps of one picture; a detector's faces are counted up to the same number."""

FaceIndex = Annotated[int, Field(ge=0, strict=True)]


class Side(StrEnum):
    """Where the husband is, seen from who looks at the picture."""

    LEFT = "left"
    RIGHT = "right"


HusbandOn = Side | Annotated[int, Field(ge=0, le=63)]
"""A side, or a place counted from 0 from the left."""


class FaceMapping(BaseModel):
    """One swap.

    Attributes:
        source_photo: Whose photo gives the face.
        source_face_index: Which face of it, by the detector's score; 0 is the best.
        target_face_index: Which face of the template gets it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source_photo: Person
    source_face_index: FaceIndex = 0
    target_face_index: FaceIndex


_mappings: TypeAdapter[list[FaceMapping]] = TypeAdapter(
    Annotated[list[FaceMapping], Field(max_length=MAX_MAPPINGS)]
)


def read_mappings(written: object) -> tuple[FaceMapping, ...]:
    """Read `face_mappings`; null and an empty list are none.

    Raises:
        BadField: It is no list of mappings.
    """
    if written is None:
        return ()
    try:
        return tuple(_mappings.validate_python(written))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ", ".join(str(part) for part in first["loc"])
        where = f"face_mappings ({place})" if place else "face_mappings"
        raise BadField(
            f"{where}: {first['msg']}; a mapping has source_photo (husband or wife), "
            "target_face_index and, where it is not 0, source_face_index."
        ) from error


@dataclass(frozen=True)
class Placement:
    """One swap, decided.

    Attributes:
        person: Whose photo gives the face.
        source_face_index: Which face of it.
        target: The face of the template that gets it.
    """

    person: Person
    source_face_index: int
    target: DetectedFace


def placements(
    faces: TemplateFaces,
    mappings: Sequence[FaceMapping] = (),
    husband: HusbandOn | None = None,
) -> tuple[Placement, ...]:
    """Decide all swaps, in order: by mapping, else by role, gender or place.

    Args:
        faces: Of the template.
        mappings: Who goes where; only these faces are needed.
        husband: Where he is; it decides over genders. None leaves it to them, and is the left
            where they do not tell.

    Raises:
        OutOfRange: There is no face of an index or a place.
        NoFace: There are fewer than two faces, or a written box fits none.
    """
    if mappings:
        return tuple(
            Placement(m.source_photo, m.source_face_index, faces.of_index(m.target_face_index))
            for m in mappings
        )
    if len(faces.detected) < COUPLE:
        raise NoFace(
            f"Template must contain at least {COUPLE} faces, but only {len(faces.detected)} "
            "detected; take another picture, or say in face_mappings who goes onto its face."
        )
    found = _by_role(faces) or (_by_gender(faces) if husband is None else None)
    chosen = found or _by_place(faces, Side.LEFT if husband is None else husband)
    return tuple(Placement(person, 0, face) for person in Person for face in chosen[person])


Chosen = Mapping[Person, Sequence[DetectedFace]]


def _by_role(faces: TemplateFaces) -> Chosen | None:
    """Take the roles of the boxes, where both persons have one."""
    written = {
        person: [face for face in faces.data.faces if face.role is person] for person in Person
    }
    if not all(written.values()):
        return None
    return {person: [*map(faces.of_written, named)] for person, named in written.items()}


def _by_gender(faces: TemplateFaces) -> Chosen | None:
    """Take the genders, where each occurs exactly once."""
    known = {
        gender: [face for face in faces.data.faces if face.gender is gender] for gender in Gender
    }
    if any(len(found) != 1 for found in known.values()):
        return None
    return {
        Person.HUSBAND: [faces.of_written(known[Gender.MALE][0])],
        Person.WIFE: [faces.of_written(known[Gender.FEMALE][0])],
    }


def _by_place(faces: TemplateFaces, husband: HusbandOn) -> Chosen:
    if isinstance(husband, Side):
        left, right = _couple(faces)
        first, second = (left, right) if husband is Side.LEFT else (right, left)
        return {Person.HUSBAND: [first], Person.WIFE: [second]}
    his = faces.from_left(husband)
    others = [face for face in faces.detected if face is not his]
    return {Person.HUSBAND: [his], Person.WIFE: [max(others, key=_area)]}


def _couple(faces: TemplateFaces) -> list[DetectedFace]:
    """Choose the two faces that count: those the documents know, else the two largest ones."""
    known = faces.known()
    if len(known) == COUPLE:
        return known
    return from_the_left(sorted(faces.detected, key=_area, reverse=True)[:COUPLE])


def _area(face: DetectedFace) -> int:
    return face.width * face.height
