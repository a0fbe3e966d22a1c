"""A picture or film that can be used again."""

from typing import Any, Literal

from pydantic import Field

from db.documents.stored import Dated, Id


class GenerationPoolItem(Dated):
    """A document of `generation_pool`, the app's fields (reference section 3).

    Read as aliases: `source_clip_id` for `clip_id`.
    """

    id: Id
    project_id: Id
    name: str | None = None
    description: str | None = None
    content_type: Literal["image", "video"]
    source_type: Literal["clip_generation", "manual_upload", "batch_generation"] | None = None
    clip_id: str | None = None
    source_clip_id: str | None = None
    media_url: str | None = None
    thumbnail_url: str | None = None
    generation_params: dict[str, Any] = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict)
    status: str | None = None
