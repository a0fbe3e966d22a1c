"""What it means that a document is deleted: its mark, and the condition that queries carry.

A null or missing `deleted_at` is a document that is there; any other value is a deletion.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from db.connection import Document
from db.schema.indexes import NOT_DELETED

Deleted = Literal["not", "only", "any"]
"""Which documents a query is about: those that are not deleted, only the deleted ones, or all."""

PENDING_DELETION = "deletion_begun"
"""Field of a document whose cascade has begun on a server without transactions: its mark."""

NOT_MARKED: Mapping[str, Any] = {"deleted_at": None, "deleted_by": None}

_RULES: dict[Deleted, Mapping[str, Any]] = {
    "not": NOT_DELETED,
    "only": {"deleted_at": {"$ne": None}},
}
_DATE: Mapping[str, Any] = {"$type": "date", "$not": {"$type": "array"}}

UNREADABLE: Mapping[str, Any] = {
    "$or": [
        {"deleted_at": {"$ne": None, "$not": {"$type": "date"}}},
        {"deleted_at": {"$type": "array"}},
    ]
}
"""Documents whose `deleted_at` is neither null nor a date, an unknown time of deletion."""


@dataclass(frozen=True)
class Mark:
    """When and by whom documents were deleted; what went together has the same mark.

    Attributes:
        deleted_at: UTC, kept to the millisecond.
    """

    deleted_at: Any
    deleted_by: str | None

    @property
    def fields(self) -> Document:
        """The mark as a document carries it, and as a query finds it."""
        return {"deleted_at": self.deleted_at, "deleted_by": self.deleted_by}


def mark_of(document: Mapping[str, Any]) -> Mark | None:
    """Read the mark of a document; None when it is not deleted."""
    if document.get("deleted_at") is None:
        return None
    return Mark(document["deleted_at"], document.get("deleted_by"))


def pending_mark_of(document: Mapping[str, Any]) -> Mark | None:
    """Read the mark of a cascade that began at a document and did not end."""
    begun = document.get(PENDING_DELETION)
    return mark_of(begun) if isinstance(begun, Mapping) else None


def where(query: Mapping[str, Any], deleted: Deleted) -> Document:
    """Add the rule to a query; a condition of its own on `deleted_at` holds as well."""
    return dict(query) if deleted == "any" else {"$and": [dict(query), dict(_RULES[deleted])]}


def deleted_before(limit: datetime) -> Document:
    """Find what was deleted before a time."""
    return {"deleted_at": {**_DATE, "$lt": limit}}


def deleted_since(limit: datetime) -> Document:
    """Find what was deleted at a time or later."""
    return {"deleted_at": {**_DATE, "$gte": limit}}
