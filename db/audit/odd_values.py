"""Values that the app's schema does not name; they are read and kept as they are."""

from collections.abc import Iterator

from pymongo.database import Database

from db.audit.report import MAX_EXAMPLES, NAME, AuditFinding, named, shortened
from db.connection import Document
from db.schema.documents.story import CLIP_TYPES
from db.schema.indexes import NOT_DELETED

_SHOWN = 5
_REMEDY = (
    "Set type to one of those or to null in the app if it was not meant; nothing is changed here."
)


def odd_clip_types(database: Database[Document]) -> Iterator[AuditFinding]:
    """Find clips of a type that the app does not know; null is none."""
    odd = {"type": {"$nin": [None, *CLIP_TYPES]}, **NOT_DELETED}
    grouped: Document = {
        "_id": "$type",
        "count": {"$sum": 1},
        "ids": {"$minN": {"input": NAME, "n": MAX_EXAMPLES}},
    }
    pipeline: list[Document] = [
        {"$match": odd},
        {"$group": grouped},
        {"$sort": {"count": -1, "_id": 1}},
        {"$limit": MAX_EXAMPLES},
    ]
    found = [*database["clips"].aggregate(pipeline, allowDiskUse=True)]
    if found:
        values = [shortened(repr(group["_id"])) for group in found[:_SHOWN]]
        more = ", ..." if len(found) > _SHOWN else ""
        ids = [named(clip) for group in found for clip in group["ids"]]
        yield AuditFinding(
            kind="odd value",
            collection="clips",
            subject=f"type is none of {', '.join(CLIP_TYPES)}, but {', '.join(values)}{more}",
            count=database["clips"].count_documents(odd),
            ids=tuple(ids[:MAX_EXAMPLES]),
            severity="info",
            remedy=_REMEDY,
        )
