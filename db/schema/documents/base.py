"""What stored documents have in common."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(min_length=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]


class Frozen(BaseModel):
    """Base of values with exactly these fields, which are never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Stored(BaseModel):
    """Base of what StoryCanvas stores; the app may store more fields than are named here."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)


class Dated(Stored):
    """A document with the times of its creation and last change, in UTC."""

    created_at: datetime | None = None
    updated_at: datetime | None = None


class SoftDeletable(Dated):
    """A document that is marked instead of removed (docs/schema.md, Deletion).

    Attributes:
        deleted_at: When it was deleted, UTC; null while it is not.
        deleted_by: User id.
    """

    deleted_at: datetime | None = None
    deleted_by: str | None = None


class Imported(Stored):
    """A document that may come from the couple face-swap database (docs/schema.md).

    Attributes:
        legacy_id: The SERIAL id it had there; left out, not null, where there was none.
    """

    legacy_id: int | None = None
