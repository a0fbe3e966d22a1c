"""A picture of a couple whose faces can be replaced."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from db.documents.couple_image import ImageCategory
from db.documents.stored import Count, Id, Imported


class CoupleTemplate(Imported):
    """A document of `templates` (seed 003, reference section 3.1).

    Attributes:
        category: Copied from the image, since the index of seed 003 names it here.
        face_positions: Boxes of the faces.
    """

    id: Id
    image_id: str | None = None
    title: Annotated[str, Field(max_length=255)]
    description: str | None = None
    artist: str | None = Field(None, max_length=255)
    source_url: str | None = Field(None, max_length=500)
    category: ImageCategory | None = None
    face_count: Count | None = 2
    face_positions: Any = None
    popularity_score: int | None = 0
    is_active: bool | None = True
    created_at: datetime | None = None
