"""Documents that stand in the way of a unique index."""

from typing import Any

from pymongo.collection import Collection

from db.connection import Document
from db.indexes import Index
from db.reports import Duplicates

LISTED = 20
"""Sets of duplicates that a report lists; it counts them all."""
IDS = 5
"""Documents of a set that a report names; it counts them all."""


def find_duplicates(
    collection: Collection[Document], index: Index
) -> tuple[int, tuple[Duplicates, ...]]:
    """Find documents that a unique index would not let stand beside each other.

    The server compares them as the index would: only the documents that would be in it, a missing
    field as null, texts by the index's collation.

    Args:
        collection: Where to look.
        index: A unique index.

    Returns:
        How many sets there are, and the largest of them.
    """
    pipeline = [
        {"$match": _indexed(index)},
        {"$group": {"_id": _values(index), "count": {"$sum": 1}, "ids": _first_ids()}},
        {"$match": {"count": {"$gt": 1}}},
        {"$sort": {"count": -1, "_id": 1}},
        {"$facet": {"sets": [{"$limit": LISTED}], "all": [{"$count": "count"}]}},
    ]
    collation = dict(index.collation or {"locale": "simple"})
    told = collection.aggregate(pipeline, collation=collation, allowDiskUse=True).next()
    count = told["all"][0]["count"] if told["all"] else 0
    return count, tuple(_duplicates(index, document) for document in told["sets"])


def _indexed(index: Index) -> Document:
    if index.sparse:
        return {"$or": [{field: {"$exists": True}} for field, _ in index.keys]}
    return dict(index.partial or {})


def _values(index: Index) -> Document:
    """Number the values, since a name in a document may not hold a dot."""
    return {
        str(number): {"$ifNull": [f"${field}", None]}
        for number, (field, _) in enumerate(index.keys)
    }


def _first_ids() -> Document:
    return {"$firstN": {"input": "$_id", "n": IDS}}


def _duplicates(index: Index, document: Document) -> Duplicates:
    values: dict[str, Any] = document["_id"]
    return Duplicates(
        values={
            field: "null" if values[str(number)] is None else repr(values[str(number)])
            for number, (field, _) in enumerate(index.keys)
        },
        count=document["count"],
        ids=tuple(map(str, document["ids"])),
    )
