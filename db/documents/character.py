"""A character, as far as face flows need it (reference section 2)."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

HISTORY_LIMIT = 200
"""Newest history entries that a character keeps; the ledger keeps all."""


def _null_is(empty: object) -> BeforeValidator:
    """Read null as an empty value, as the app does."""
    return BeforeValidator(lambda value: empty if value is None else value)


class Character(BaseModel):
    """What a flow reads of a `characters` document; everything else in it is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    name: Annotated[str, _null_is("")] = ""
    project_id: str | None = None
    reference_images: Annotated[list[str], _null_is([])] = Field(default_factory=list)
    facefusion_preferred_settings: dict[str, Any] | None = None
