"""A model that a backend can load right now."""

from datetime import datetime
from typing import Any

from pydantic import Field

from db.documents.database_model import MatchQuality
from db.documents.stored import Id, Stored


class ActiveBackendModel(Stored):
    """A document of `active_backend_models` (seed 004).

    Attributes:
        id: Backend, folder and normalised path; the name alone is not unique across folders.
        model_size: Bytes.
    """

    id: Id
    backend_id: Id
    backend_name: str | None = None
    backend_url: str | None = None
    model_id: str | None = None
    model_name: str
    model_type: str | None = None
    model_path: str | None = None
    model_size: int | None = Field(None, ge=0)
    civitai_model_id: str | None = None
    civitai_model_name: str | None = None
    civitai_match_quality: MatchQuality | None = None
    is_active: bool = True
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    model_metadata: dict[str, Any] | None = None
