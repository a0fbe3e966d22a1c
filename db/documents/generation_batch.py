"""A batch of generation jobs."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from db.documents.stored import Count, Dated, Id


class GenerationBatch(Dated):
    """A document of `generation_batches` (seed 001).

    Read as aliases: `total`, `completed` and `failed` for the three counters (seed 004).
    """

    id: Id
    project_id: Id
    clip_id: str | None = None
    status: Literal["queued", "processing", "completed", "failed"] = "queued"
    total_jobs: Count = 0
    completed_jobs: Count = 0
    failed_jobs: Count = 0
    comfyui_server_id: str | None = None
    prompt_data: dict[str, Any] = Field(default_factory=dict)
    results: list[Any] = Field(default_factory=list)
    error_message: str | None = None
    started_at: datetime | None = None
