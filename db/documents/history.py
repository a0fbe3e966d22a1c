"""One entry of a character's `facefusion_processing_history` (seed 001, reference section 2)."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class HistoryEntry(BaseModel):
    """What was done to a picture of a character, or failed to be.

    Attributes:
        output_image_url: Empty where there is no output; the app refuses null.
        created_at: UTC.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    operation_type: str
    input_image_url: str
    output_image_url: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    success: bool = True
    error_message: str | None = None
    processing_time_seconds: float | None = Field(None, ge=0)
    created_at: datetime
