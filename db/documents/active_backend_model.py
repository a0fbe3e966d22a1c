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
        model_id: Folder and normalised path, the same on every backend.
        model_name: The file's name.
        model_path: As `model_id`, as the app's own rules for types expect it.
        model_size: Bytes; null if the server does not tell.
        civitai_model_id: Civitai's number as text.
        civitai_version_id: Civitai's number of the version that the file belongs to.
        match_method: What the match rests on, such as `sha256`.
        match_score: How sure the match is.
        civitai_match_confirmed: Whether a person confirmed the match; it then stays as it is.
        last_seen: UTC; moved at most every 10 minutes.
        changed_at: When a server told something else of it last, or had it again, UTC.
        gone_at: When it was found to be gone, UTC; null while it is there.
        model_metadata: `folder`, `raw_name` (as the server spells it), `modified` (seconds since
            1970), `hashes` by kind, and the file's own metadata as `pairs`, since its names have
            dots.
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
    civitai_version_id: int | None = None
    match_method: str | None = None
    match_score: float | None = Field(None, ge=0, le=1)
    civitai_match_confirmed: bool | None = None
    is_active: bool = True
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    changed_at: datetime | None = None
    gone_at: datetime | None = None
    model_metadata: dict[str, Any] | None = None
