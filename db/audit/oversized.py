"""Documents that come near to the 16 MB that MongoDB allows."""

from collections.abc import Iterator

from pymongo.database import Database

from db.audit.document_names import NAME, named
from db.audit.report import LISTED, AuditFinding
from db.connection import Document

MEGABYTE = 1024 * 1024
LARGE = 1 * MEGABYTE
"""Bytes above which a document makes every read of it slow."""
CRITICAL = 12 * MEGABYTE
"""Bytes above which a document is soon refused; the server's own limit is 16 MB."""

_REMEDY = "Move what is large, such as pictures in text, out of these documents."


def oversized_documents(
    database: Database[Document], collection: str, large: int = LARGE, critical: int = CRITICAL
) -> Iterator[AuditFinding]:
    """Find large documents; the server measures all of them.

    Args:
        database: The StoryCanvas database.
        collection: Where to look.
        large: Bytes above which a document is a warning.
        critical: Bytes above which it is critical.

    Yields:
        At most one finding of each severity, with the largest documents.

    Raises:
        pymongo.errors.PyMongoError: The server does not answer or refuses.
    """
    size = {"$bsonSize": "$$ROOT"}
    largest = {"n": LISTED, "sortBy": {"size": -1}, "output": ["$size", "$name"]}
    pipeline: list[Document] = [
        {"$project": {"_id": 0, "size": size, "name": NAME}},
        {"$match": {"size": {"$gt": large}}},
        {
            "$group": {
                "_id": {"$gt": ["$size", critical]},
                "count": {"$sum": 1},
                "largest": {"$topN": largest},
            }
        },
        {"$sort": {"_id": -1}},
    ]
    for told in database[collection].aggregate(pipeline, allowDiskUse=True):
        yield _finding(collection, told, critical if told["_id"] else large)


def _finding(collection: str, told: Document, limit: int) -> AuditFinding:
    sizes = [f"{named(name)} has {size / MEGABYTE:.1f} MB" for size, name in told["largest"]]
    return AuditFinding(
        kind="oversized document",
        collection=collection,
        subject=f"over {limit / MEGABYTE:g} MB, {sizes[0]}",
        count=told["count"],
        ids=tuple(named(name) for _, name in told["largest"]),
        severity="critical" if told["_id"] else "warning",
        remedy=_REMEDY,
    )
