"""Fields that repeat a field of another document and differ from it."""

from collections.abc import Iterator

from pymongo import UpdateMany
from pymongo.database import Database

from db.audit.report import MAX_EXAMPLES, NAME, AuditFinding, named
from db.connection import Document, in_batches
from db.schema.copies import Copy
from db.schema.indexes import NOT_DELETED
from db.schema.relations import SOFT_DELETABLE

_TEXT: Document = {"$type": "string", "$gt": "", "$not": {"$type": "array"}}
_BATCH = 500
_REMEDY = "Run audit-db with fix on: it copies {field} of {source} again."


def different_copies(database: Database[Document], copy: Copy) -> Iterator[AuditFinding]:
    """Find the documents whose copy differs from its source, at most one finding.

    A missing copy does not differ, since the app's older API writes none. A source that is gone,
    has no value, or stands twice with two values is none.
    """
    count, ids = 0, list[str]()
    for group in _different(database, copy):
        count += group["count"]
        ids += map(named, group["ids"])
        del ids[MAX_EXAMPLES:]
    if count:
        yield AuditFinding(
            kind="different copy",
            collection=copy.collection,
            subject=str(copy),
            count=count,
            ids=tuple(ids),
            remedy=_REMEDY.format(field=copy.source_field, source=copy.source),
        )


def mend_copies(database: Database[Document], copy: Copy) -> str:
    """Copy the values again; tell what was done, empty when nothing was left to do.

    Each update names the value that it replaces, so what another process wrote meanwhile stays.
    """
    mended = 0
    for groups in in_batches(_different(database, copy), _BATCH):
        updates = [_update(copy, group) for group in groups]
        mended += database[copy.collection].bulk_write(updates, ordered=False).modified_count
    return f"{mended} copied again" if mended else ""


def _update(copy: Copy, group: Document) -> UpdateMany:
    reference = {copy.by: {"$eq": group["_id"]["reference"], "$not": {"$type": "array"}}}
    stale = {copy.field: {"$eq": group["_id"]["value"]}}
    return UpdateMany(
        {"$and": [_mendable(copy), reference, stale]}, {"$set": {copy.field: group["source"][0]}}
    )


def _mendable(copy: Copy) -> Document:
    """Select copies that are there: what was never copied is filled in by `migrate-db`."""
    alive = dict(NOT_DELETED) if copy.collection in SOFT_DELETABLE else {}
    copied: Document = {**alive, copy.field: {"$ne": None}}
    return copied | ({"$nor": [dict(copy.own)]} if copy.own else {})


def _different(database: Database[Document], copy: Copy) -> Iterator[Document]:
    """Group the documents that differ by what they name and have; `source` is what they should.

    The server brings both sides together by sorting, so no index is needed and memory is bounded.
    """
    children: list[Document] = [
        {"$match": {"$and": [_mendable(copy), {copy.by: _TEXT}]}},
        {
            "$group": {
                "_id": {"reference": f"${copy.by}", "value": f"${copy.field}"},
                "count": {"$sum": 1},
                "ids": {"$minN": {"input": NAME, "n": MAX_EXAMPLES}},
            }
        },
    ]
    sources = [
        {"$match": {"id": _TEXT, copy.source_field: _TEXT}},
        {"$project": {"_id": {"reference": "$id"}, "source": f"${copy.source_field}"}},
    ]
    beside = {
        "partitionBy": "$_id.reference",
        "output": {"source": {"$addToSet": "$source"}},
    }
    differs = {"$ne": ["$_id.value", {"$first": "$source"}]}
    yield from database[copy.collection].aggregate(
        [
            *children,
            {"$unionWith": {"coll": copy.source, "pipeline": sources}},
            {"$setWindowFields": beside},
            {"$match": {"count": {"$gt": 0}, "source": {"$size": 1}, "$expr": differs}},
            {"$sort": {"_id": 1}},
        ],
        collation={"locale": "simple"},
        allowDiskUse=True,
    )
