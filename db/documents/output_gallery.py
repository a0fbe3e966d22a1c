"""A character's `facefusion_output_gallery` (seed 001, reference section 2)."""

from typing import Annotated

from pydantic import Field

from db.documents.stored import Stored

AgeKey = Annotated[str, Field(pattern=r"^(100|[1-9]?[0-9])$")]


class OutputGallery(Stored):
    """What face operations made of a character, by kind.

    Attributes:
        age_variants: Age in years as text, since BSON refuses integer keys, to the picture's URL.
    """

    enhanced_faces: list[str] = Field(default_factory=list)
    age_variants: dict[AgeKey, str] = Field(default_factory=dict)
    swapped_faces: list[str] = Field(default_factory=list)
    edited_expressions: list[str] = Field(default_factory=list)
    custom_outputs: list[str] = Field(default_factory=list)
