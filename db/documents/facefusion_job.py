"""A job of the FaceFusion queue."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from db.documents.stored import Count, Dated, Id, Percent


class FacefusionJob(Dated):
    """A document of `facefusion_jobs` (seed 001, reference sections 3 and 6).

    The app writes `results` beside `output_data`; `output_data.results` is the place for them.

    Attributes:
        priority: The higher is claimed the earlier; among equals the older.
        lease_expires_at: Until when the claim holds, UTC; null while nobody has claimed it.
        attempts: How often it was claimed.
    """

    id: Id
    character_id: str | None = None
    project_id: str | None = None
    job_type: Literal["enhance", "age_adjust", "swap", "batch"]
    status: Literal["queued", "processing", "completed", "failed", "cancelled"] = "queued"
    priority: int = 0
    input_data: dict[str, Any] = Field(default_factory=dict)
    output_data: dict[str, Any] | None = None
    error_message: str | None = None
    progress: Percent = 0.0
    total_operations: Count = 0
    completed_operations: Count = 0
    failed_operations: Count = 0
    attempts: Count = 0
    lease_expires_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
