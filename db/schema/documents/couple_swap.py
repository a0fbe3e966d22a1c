"""Users, and the pictures, templates and tasks of the couple face-swap."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from db.schema.documents.base import Count, Id, Imported, SoftDeletable

ImageCategory = Literal["acg", "movie", "tv", "custom"]


class CoupleImage(Imported):
    """A document of `images`.

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


class CoupleTemplate(Imported):
    """A document of `templates`.

    Attributes:
        category: Copied from the image, since the old schema's index names it here.
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


class FaceswapTask(Imported):
    """A document of `faceswap_tasks`.

    Attributes:
        status: `pending` is what the other queues call `queued`.
        result_image_id: Set when it is completed.
        processing_time: Seconds.
    """

    id: Id
    user_id: str | None = None
    template_id: str | None = None
    husband_image_id: str | None = None
    wife_image_id: str | None = None
    result_image_id: str | None = None
    status: Literal["pending", "processing", "completed", "failed"] = "pending"
    progress: Annotated[int, Field(ge=0, le=100)] = 0
    error_message: str | None = None
    processing_time: float | None = Field(None, ge=0)
    started_at: datetime | None = None
    completed_at: datetime | None = None
    created_at: datetime | None = None


class CrawlTask(Imported):
    """A document of `crawl_tasks`, of a later phase of the couple face-swap."""

    id: Id
    source_type: Literal["pixiv", "danbooru", "custom"] | None = None
    search_query: str | None = None
    filters: dict[str, Any] = Field(default_factory=dict)
    status: str = "pending"
    images_collected: Count = 0
    created_at: datetime | None = None


def no_api_keys() -> dict[str, Any]:
    """Make the `api_keys` of a new user, as the app's registration writes them."""
    return {"runpod": None, "openai": None, "civitai": None}


class User(SoftDeletable, Imported):
    """A document of `users` (docs/schema.md, Users).

    Read as aliases: `password_hash` for `hashed_password` on import. `api_keys`, which the app
    stores as plain text, must never be returned or logged.

    Attributes:
        username: In lower case, as the app writes it and looks it up.
        email: In lower case.
        hashed_password: bcrypt.
    """

    id: Id
    username: Annotated[str, Field(min_length=3, max_length=100)]
    email: Annotated[str, Field(min_length=1, max_length=255)]
    hashed_password: str
    is_active: bool = True
    is_admin: bool = False
    api_keys: dict[str, Any] | None = Field(default_factory=no_api_keys)
