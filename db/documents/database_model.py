"""A model file that the app can generate with."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from db.documents.stored import Dated, Id

LocalModelType = Literal["checkpoint", "lora", "embedding", "controlnet", "vae", "upscale", "other"]
MatchQuality = Literal["exact_hash", "high_confidence", "low_confidence", "manual"]


class DatabaseModel(Dated):
    """A document of `database_models`, the local catalog (seed 001, reference section 3).

    Rows of Civitai belong to `civitai_models` only; what was found there about a local file is
    kept in `civitai_info`. Read as aliases: `model_type` for `type`, `filepath` for `path`.

    Attributes:
        hash: SHA-256 of the file.
        source: Where the row came from.
        server_source: The backend that listed the file.
        catalog_model_id: `model_id` of the file in `active_backend_models` that the row is for.
        civitai_match_confirmed: Whether a person confirmed the match; it then stays as it is.
    """

    id: Id
    name: str
    type: LocalModelType = "other"
    base_model: str | None = None
    path: str | None = None
    filename: str | None = None
    hash: str | None = None
    description: str | None = ""
    trigger_words: str | None = None
    is_active: bool = True
    is_nsfw: bool = False
    tags: list[str] = Field(default_factory=list)
    source: str | None = None
    server_source: str | None = None
    civitai_id: int | None = None
    civitai_info: dict[str, Any] | None = None
    civitai_match_quality: MatchQuality | None = None
    civitai_match_confirmed: bool | None = None
    catalog_model_id: str | None = None
    configuration_presets: list[Any] = Field(default_factory=list)
    available_profiles: list[Any] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict)
    last_synced_at: datetime | None = None
