"""A task of the couple face-swap."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from db.documents.stored import Id, Imported


class FaceswapTask(Imported):
    """A document of `faceswap_tasks` (seed 003, reference section 3.1).

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
