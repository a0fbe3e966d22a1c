"""What was measured of the pictures in the galleries of characters."""

from datetime import datetime

from pydantic import ConfigDict, Field

from db.schema.documents.base import Count, Frozen, Id


class GalleryMeasure(Frozen):
    """A document of `face_measures`: one picture, measured for one character.

    It holds distances and an age, never the numbers that a recogniser makes of a face: those
    identify a person and are biometric data.

    Attributes:
        measure_id: The `_id`, made of character and picture.
        picture: Its address as the gallery has it.
        version: Of the measure; what another version measured is measured anew.
        compared_with: Hash of the reference images that it was compared with.
        faces: How many faces the picture shows.
        age: Years of the face that is most like the character; null where it was not measured.
        distance: Of that face to the nearest reference image; null where it was not measured.
        scale: Whose distance it is.
        same_below: The character's bound: a face nearer than this shows it.
        measured_at: UTC.
    """

    model_config = ConfigDict(populate_by_name=True)

    measure_id: Id = Field(alias="_id")
    character_id: Id
    picture: Id
    version: int
    compared_with: str
    faces: Count
    age: float | None = None
    distance: float | None = Field(None, ge=0)
    scale: str | None = None
    same_below: float | None = None
    measured_at: datetime
