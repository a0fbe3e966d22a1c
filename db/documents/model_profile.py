"""Settings that suit a model or a family of models."""

from typing import Literal

from pydantic import Field

from db.documents.stored import Dated, Id, Stored


class ProfileSettings(Stored):
    """The sampler's settings of a profile."""

    cfg_scale: float | None = Field(None, ge=0)
    steps: int | None = Field(None, ge=1)
    sampler: str | None = None
    scheduler: str | None = None
    clip_skip: int | None = None


class ModelProfile(Dated):
    """A document of `model_profiles` (reference section 3).

    The app's import scripts name a profile by its `_id` only; where `id` is there, it is the same.
    """

    id: Id | None = None
    name: str
    description: str | None = ""
    settings: ProfileSettings = Field(default_factory=ProfileSettings)
    linked_model_ids: list[str | int] = Field(default_factory=list)
    linked_base_models: list[str] = Field(default_factory=list)
    priority: Literal["exact", "base_model", "generic"] = "generic"
