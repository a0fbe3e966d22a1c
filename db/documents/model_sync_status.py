"""How far a local model is matched with Civitai."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from db.documents.stored import Id, Stored


class ModelSyncStatus(Stored):
    """A document of `model_sync_status` (seed 004).

    Attributes:
        model_id: As in `active_backend_models`.
        civitai_model_id: Civitai's number as text.
        sync_status: `synced` with a match, `pending` without one, `failed` when it could not be
            looked for.
        last_sync_attempt: When the outcome was looked for and changed, UTC.
        sync_error: Why it is not synced, in one sentence.
        candidates: Versions that it could be, the likeliest first.
    """

    model_id: Id
    civitai_model_id: str | None = None
    sync_status: Literal["pending", "synced", "failed"] = "pending"
    last_sync_attempt: datetime | None = None
    last_sync_success: datetime | None = None
    sync_error: str | None = None
    candidates: list[dict[str, Any]] = Field(default_factory=list)
