"""A character, as far as face flows need it (reference section 2)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

HISTORY_LIMIT = 200
"""Newest history entries that a character keeps; the ledger keeps all."""


class Character(BaseModel):
    """What a flow reads of a `characters` document; everything else in it is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    name: str = ""
    project_id: str | None = None
    reference_images: list[str] = Field(default_factory=list)
    facefusion_preferred_settings: dict[str, Any] | None = None
