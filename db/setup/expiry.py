"""Indexes that let MongoDB remove documents, and what they would remove today.

A TTL index removes a document some time after the date in its field, and ignores a text in it
(MongoDB manual, TTL Indexes). So one on a field of texts sleeps until something writes dates there.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

from pymongo.database import Database

from db.connection import Document, translated_errors
from db.schema.documents.base import Frozen

EVERY_FIELD = "*"
"""Stands for all fields of a collection, where whole documents are written or removed."""


class ExpiringIndex(Frozen):
    """A TTL index, and how many documents it would remove today.

    Attributes:
        seconds: How long after the time in `field` a document is removed.
        due: Documents that are removed as they are.
        asleep: Documents that would be removed if the texts in `field` were dates.
    """

    collection: str
    name: str
    field: str
    seconds: float
    due: int = 0
    asleep: int = 0

    def __str__(self) -> str:
        asleep = f", and {self.asleep} more if their texts were dates" if self.asleep else ""
        return (
            f"Index {self.name} of {self.collection} removes documents {self.seconds:g} s after "
            f"{self.field}: {self.due} today{asleep}"
        )

    def is_on(self, fields: Iterable[str]) -> bool:
        """Whether a change of some fields, or of a part of them, can change its time."""
        parts = self.field.split(".")
        for name in fields:
            changed = name.split(".")
            shorter = min(len(parts), len(changed))
            if name == EVERY_FIELD or parts[:shorter] == changed[:shorter]:
                return True
        return False


def expiring_indexes(
    database: Database[Document], now: datetime | None = None
) -> tuple[ExpiringIndex, ...]:
    """Find the TTL indexes of all collections, those unknown to the registry included."""
    now = now or datetime.now(UTC)
    with translated_errors():
        return tuple(
            _counted(database, name, index, now)
            for name in sorted(database.list_collection_names(filter={"type": "collection"}))
            if not name.startswith("system.")
            for index in database[name].list_indexes()
            # The server ignores the option in an index of several fields.
            if "expireAfterSeconds" in index and len(index["key"]) == 1
        )


def _counted(
    database: Database[Document], collection: str, stored: Mapping[str, Any], now: datetime
) -> ExpiringIndex:
    [field] = stored["key"]
    index = ExpiringIndex(
        collection=collection,
        name=stored["name"],
        field=field,
        seconds=_seconds(stored["expireAfterSeconds"]),
    )
    before = _before(now, index.seconds)
    if before is None:
        return index
    which: Document = dict(stored.get("partialFilterExpression", {}))
    documents = database[collection]
    due = documents.count_documents({"$and": [which, {field: {"$lt": before}}]})
    texts = {"$and": [which, {field: {"$type": "string"}}, {"$expr": _reads_before(field, before)}]}
    counts = {"due": due, "asleep": documents.count_documents(texts)}
    return index.model_copy(update=counts)


def _seconds(stored: object) -> float:
    # Old shells stored NaN, which MongoDB 5.0 and 6.0.1 take for 0; later versions never remove.
    seconds = float(stored) if isinstance(stored, int | float) else 0.0
    return seconds if isfinite(seconds) else 0.0


def _before(now: datetime, seconds: float) -> datetime | None:
    try:
        return now - timedelta(seconds=seconds)
    except OverflowError:
        return None


def _reads_before(field: str, before: datetime) -> Document:
    """Check for a text, also one in a list, that names an earlier time."""
    value: Any = f"${field}"
    listed = {"$cond": [{"$isArray": value}, value, [value]]}

    # What is no date reads as a time that is not over.
    date = {"$convert": {"input": "$$this", "to": "date", "onError": before, "onNull": before}}
    is_before = {"$and": [{"$eq": [{"$type": "$$this"}, "string"]}, {"$lt": [date, before]}]}
    return {"$anyElementTrue": [{"$map": {"input": listed, "in": is_before}}]}
