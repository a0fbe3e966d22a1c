"""Documents that are large, and characters whose lists have grown long; nothing is cut."""

from collections.abc import Iterator
from typing import Any

from pymongo.database import Database

from db.audit.report import MAX_EXAMPLES, NAME, AuditFinding, named
from db.connection import Document
from db.schema.documents.characters import GALLERY_LISTS, HISTORY_LIMIT

MEGABYTE = 1024 * 1024
LARGE = 1 * MEGABYTE
"""Bytes above which a document makes every read of it slow."""
CRITICAL = 12 * MEGABYTE
"""Bytes above which a document is soon refused; the server's own limit is 16 MB."""

_REMEDY = "Move large values, such as pictures stored as text, out of these documents."


def oversized_documents(
    database: Database[Document], collection: str, large: int = LARGE, critical: int = CRITICAL
) -> Iterator[AuditFinding]:
    """Find large documents, at most one finding of each severity; the server measures them."""
    measured = {"$project": {"_id": 0, "size": {"$bsonSize": "$$ROOT"}, "name": NAME}}
    pipeline = [measured, *_by_severity(large, critical)]
    for group in database[collection].aggregate(pipeline, allowDiskUse=True):
        yield _finding(collection, group, critical if group["_id"] else large)


def _by_severity(large: int, critical: int) -> list[Document]:
    """Group large documents, of which `size` and `name` are there; the critical ones come first."""
    largest = {"n": MAX_EXAMPLES, "sortBy": {"size": -1}, "output": ["$size", "$name"]}
    grouped = {
        "_id": {"$gt": ["$size", critical]},
        "count": {"$sum": 1},
        "largest": {"$topN": largest},
    }
    return [{"$match": {"size": {"$gt": large}}}, {"$group": grouped}, {"$sort": {"_id": -1}}]


def _finding(collection: str, group: Document, limit: int) -> AuditFinding:
    sizes = [f"{named(name)} has {size / MEGABYTE:.1f} MB" for size, name in group["largest"]]
    return AuditFinding(
        kind="oversized document",
        collection=collection,
        subject=f"over {limit / MEGABYTE:g} MB, {sizes[0]}",
        count=group["count"],
        ids=tuple(named(name) for _, name in group["largest"]),
        severity="critical" if group["_id"] else "warning",
        remedy=_REMEDY,
    )


_HISTORY = "$facefusion_processing_history"
GALLERY_LIMIT = 500
"""Pictures above which a list of a gallery makes every read of its character slow."""
LARGE_CHARACTER = 4 * MEGABYTE
MAX_CHARACTERS = 500
"""Large characters that are named, the largest first; the others are counted together."""
_LONG_HISTORY_REMEDY = (
    f"Nothing, if older entries may go: the next operation keeps the newest {HISTORY_LIMIT}. What "
    "the app wrote is in no ledger, so nothing is cut here; copy it first if it matters."
)
_LARGE_CHARACTER_REMEDY = (
    "Remove pictures that are not needed in the app; nothing is cut here, and MongoDB refuses each "
    "change that would take the document above 16 MB."
)


def large_characters(database: Database[Document]) -> Iterator[AuditFinding]:
    """Find characters with more history than they keep, long gallery lists or a large document.

    Large documents are found as in other collections. One pass over all characters measures all
    of it, since a full character has about 100 kB.
    """
    shape = {name: _length(f"$facefusion_output_gallery.{name}") for name in GALLERY_LISTS}
    shape |= {"entries": _length(_HISTORY), "size": {"$bsonSize": "$$ROOT"}, "name": NAME}
    is_long: Document = {"entries": {"$gt": HISTORY_LIMIT}}
    lists: list[Document] = [{name: {"$gt": GALLERY_LIMIT}} for name in GALLERY_LISTS]
    is_large: Document = {"$or": [*lists, {"size": {"$gt": LARGE_CHARACTER}}]}
    largest = [{"$match": is_large}, {"$sort": {"size": -1}}, {"$limit": MAX_CHARACTERS}]
    pipeline: list[Document] = [
        {"$project": {"_id": 0, **shape}},
        {"$match": {"$or": [is_long, is_large, {"size": {"$gt": LARGE}}]}},
        {
            "$facet": {
                "long": [{"$match": is_long}, {"$group": _LONGEST}],
                "oversized": _by_severity(LARGE, CRITICAL),
                "large": largest,
                "all": [{"$match": is_large}, {"$count": "count"}],
            }
        },
    ]
    for found in database["characters"].aggregate(pipeline, allowDiskUse=True):
        for group in found["oversized"]:
            yield _finding("characters", group, CRITICAL if group["_id"] else LARGE)
        yield from map(_long_histories, found["long"])
        yield from map(_large_character, found["large"])
        if found["all"] and (more := found["all"][0]["count"] - len(found["large"])):
            yield _large_characters(f"{more} more", more, ())


def _length(path: str) -> Document:
    return {"$cond": [{"$isArray": path}, {"$size": path}, 0]}


_LONGEST: Document = {
    "_id": None,
    "count": {"$sum": 1},
    "most": {"$max": "$entries"},
    "longest": {"$topN": {"n": MAX_EXAMPLES, "sortBy": {"entries": -1}, "output": "$name"}},
}


def _long_histories(group: Document) -> AuditFinding:
    return AuditFinding(
        kind="long history",
        collection="characters",
        subject=f"more than {HISTORY_LIMIT} entries, {group['most']} at most",
        count=group["count"],
        ids=tuple(map(named, group["longest"])),
        remedy=_LONG_HISTORY_REMEDY,
    )


def _large_character(measured: dict[str, Any]) -> AuditFinding:
    long = [f"{name} has {measured[name]} pictures" for name in GALLERY_LISTS if measured[name]]
    subject = ", ".join([*long, f"its document has {measured['size']} bytes"])
    return _large_characters(subject, 1, (named(measured["name"]),))


def _large_characters(subject: str, count: int, ids: tuple[str, ...]) -> AuditFinding:
    return AuditFinding(
        kind="large character",
        collection="characters",
        subject=subject,
        count=count,
        ids=ids,
        remedy=_LARGE_CHARACTER_REMEDY,
    )
