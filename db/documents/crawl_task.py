"""A task of collecting pictures."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from db.documents.stored import Count, Id, Imported


class CrawlTask(Imported):
    """A document of `crawl_tasks`, of a later phase of the couple face-swap (seed 003)."""

    id: Id
    source_type: Literal["pixiv", "danbooru", "custom"] | None = None
    search_query: str | None = None
    filters: dict[str, Any] = Field(default_factory=dict)
    status: str = "pending"
    images_collected: Count = 0
    created_at: datetime | None = None
