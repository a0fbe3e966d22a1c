"""What is in the bin: each deletion by the document that it began with, and what went with it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from pymongo.database import Database

from db.connection import Document, reading_anything, translated_errors
from db.schema.collections import COLLECTIONS
from db.schema.documents.base import Frozen
from db.schema.relations import SOFT_DELETABLE
from db.soft_delete.owned import parents_of

MAX_LISTED = 500
"""Most deletions that are listed, the newest; all deleted documents are counted."""
DAY = timedelta(days=1)

_DELETED: Document = {"deleted_at": {"$ne": None}}
_NAMES = [collection.name for collection in COLLECTIONS if collection.name in SOFT_DELETABLE]


class DeletedDocument(Frozen):
    """A document that was deleted, not together with one that owns it.

    Attributes:
        deleted_at: UTC; null if what stands there is not a time that can be read.
        together: Documents by collection with the same time and user, itself included.
        days_left: Until `purge-deleted` may remove it, 0 if it may now; null if it never will.
    """

    collection: str
    document_id: str
    name: str
    deleted_at: datetime | None
    deleted_by: str
    together: dict[str, int]
    days_left: int | None


class BinReport(Frozen):
    """What is in the bin.

    Attributes:
        older_than_days: Days after which `purge-deleted` may remove a document.
        counts: Deleted documents by collection, those without any left out.
        documents: The newest deletions, the newest first.
        more: Whether there are more than are listed.
    """

    database: str
    older_than_days: int
    counts: dict[str, int]
    documents: tuple[DeletedDocument, ...]
    more: bool

    def lines(self) -> Iterator[str]:
        """Count in one line for each collection what is deleted."""
        for collection, count in self.counts.items():
            yield f"{collection}: {count} in the bin."

    def summary(self) -> str:
        """Count in one sentence what is in the bin and what may be removed."""
        due = sum(document.days_left == 0 for document in self.documents)
        listed = f"the newest {len(self.documents)}" if self.more else str(len(self.documents))
        return (
            f"Database {self.database}: {listed} deletion(s) in the bin, "
            f"{sum(self.counts.values())} document(s) in all; {due} of the deletions may be "
            f"removed by purge-deleted, being older than {self.older_than_days} days."
        )


def days_left(deleted_at: object, now: datetime, older_than_days: int) -> int | None:
    """Count the days that are left, a part of a day as a whole one."""
    if not isinstance(deleted_at, datetime):
        return None
    return max(0, ceil((deleted_at - now) / DAY + older_than_days))


def list_deleted(
    database: Database[Document], now: datetime, older_than_days: int, limit: int = MAX_LISTED
) -> BinReport:
    """List what was deleted; a circle of scenes that own each other is counted and not listed."""
    database = reading_anything(database)
    with translated_errors():
        counts = {name: database[name].count_documents(_DELETED) for name in _NAMES}
        found = [
            {**document, "collection": name}
            for name in _NAMES
            if counts[name]
            for document in database[name].aggregate(_first_of_each(name, limit + 1))
        ]
        # Other types than times compare with none of them.
        found.sort(key=lambda document: _sortable(document["deleted_at"]), reverse=True)
        listed = found[:limit]
        together = _together(database, listed)
    return BinReport(
        database=database.name,
        older_than_days=older_than_days,
        counts={name: count for name, count in counts.items() if count},
        documents=tuple(_deleted(each, together, now, older_than_days) for each in listed),
        more=len(found) > limit,
    )


def _first_of_each(collection: str, limit: int) -> list[Document]:
    """Find the deleted documents that no document owns with the same mark, the newest first."""
    links = {f"owner_{number}": each for number, each in enumerate(parents_of(collection))}
    same: list[Document] = [
        {"$ne": ["$_id", "$$own"]},
        {"$eq": ["$deleted_at", "$$at"]},
        {"$eq": [{"$ifNull": ["$deleted_by", None]}, "$$by"]},
    ]
    mark = {"own": "$_id", "at": "$deleted_at", "by": {"$ifNull": ["$deleted_by", None]}}
    lookups: list[Document] = [
        {
            "$lookup": {
                "from": relation.parent,
                "localField": relation.field,
                "foreignField": "id",
                "let": mark,
                "pipeline": [
                    {"$match": {"$expr": {"$and": same}}},
                    {"$limit": 1},
                    {"$project": {"_id": True}},
                ],
                "as": name,
            }
        }
        for name, relation in links.items()
    ]
    return [
        {"$match": _DELETED},
        *lookups,
        {"$match": {link: [] for link in links}},
        {"$project": dict.fromkeys(("id", "name", "deleted_at", "deleted_by"), True)},
        {"$sort": {"deleted_at": -1, "_id": 1}},
        {"$limit": limit},
    ]


def _together(
    database: Database[Document], listed: list[dict[str, Any]]
) -> dict[tuple[str, str], dict[str, int]]:
    """Count the documents of each mark by collection."""
    times = [document["deleted_at"] for document in listed]
    group = {
        "_id": {"at": "$deleted_at", "by": {"$ifNull": ["$deleted_by", None]}},
        "count": {"$sum": 1},
    }
    together: dict[tuple[str, str], dict[str, int]] = {}
    for name in _NAMES if listed else ():
        pipeline: list[Document] = [{"$match": {"deleted_at": {"$in": times}}}, {"$group": group}]
        for found in database[name].aggregate(pipeline):
            mark = repr(found["_id"]["at"]), repr(found["_id"].get("by"))
            together.setdefault(mark, {})[name] = found["count"]
    return together


def _deleted(
    document: dict[str, Any],
    together: dict[tuple[str, str], dict[str, int]],
    now: datetime,
    older_than_days: int,
) -> DeletedDocument:
    deleted_at, deleted_by = document["deleted_at"], document.get("deleted_by")
    return DeletedDocument(
        collection=document["collection"],
        document_id=str(document.get("id", document["_id"])),
        name=str(document.get("name") or ""),
        deleted_at=deleted_at if isinstance(deleted_at, datetime) else None,
        deleted_by=str(deleted_by or ""),
        together=together.get((repr(deleted_at), repr(deleted_by)), {}),
        days_left=days_left(deleted_at, now, older_than_days),
    )


def _sortable(deleted_at: object) -> float:
    return deleted_at.timestamp() if isinstance(deleted_at, datetime) else 0.0
