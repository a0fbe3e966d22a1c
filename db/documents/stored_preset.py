"""A preset as it is stored; `db.documents.preset` holds what a face flow reads of it."""

from typing import Any

from pydantic import Field

from db.documents.stored import Count, Id, SoftDeletable


class StoredPreset(SoftDeletable):
    """A document of `facefusion_presets` (seed 001).

    Attributes:
        operation_type: `enhance`, `age_adjust`, `swap` or `edit` in seed 001.
    """

    id: Id
    name: str = Field(min_length=1)
    description: str | None = None
    operation_type: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    user_id: str | None = None
    is_public: bool = False
    use_count: Count = 0
