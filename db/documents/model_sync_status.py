"""How far a local model is matched with Civitai."""

from datetime import datetime
from typing import Literal

from db.documents.stored import Id, Stored


class ModelSyncStatus(Stored):
    """A document of `model_sync_status` (seed 004)."""

    model_id: Id
    civitai_model_id: str | None = None
    sync_status: Literal["pending", "synced", "failed"] = "pending"
    last_sync_attempt: datetime | None = None
    last_sync_success: datetime | None = None
    sync_error: str | None = None
