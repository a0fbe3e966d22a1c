"""A picture of the couple face-swap: a source, a template or a result."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from db.documents.stored import Count, Id, Imported

ImageCategory = Literal["acg", "movie", "tv", "custom"]


class CoupleImage(Imported):
    """A document of `images` (seed 003, reference section 3.1).

    Attributes:
        user_id: Null for templates.
        file_size: Bytes.
        width: Pixels.
        height: Pixels.
    """

    id: Id
    user_id: str | None = None
    filename: Annotated[str, Field(max_length=255)]
    storage_path: Annotated[str, Field(max_length=500)]
    file_size: Count | None = None
    width: Count | None = None
    height: Count | None = None
    image_type: Literal["source", "template", "result"] | None = None
    category: ImageCategory | None = None
    tags: list[str] = Field(default_factory=list)
    uploaded_at: datetime | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
