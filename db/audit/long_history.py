"""Characters whose history has outgrown what a character keeps."""

from collections.abc import Iterator

from pymongo.database import Database

from db.audit.document_names import NAME, named
from db.audit.report import LISTED, AuditFinding
from db.connection import Document
from db.documents.character import HISTORY_LIMIT

_HISTORY = "$facefusion_processing_history"
_REMEDY = (
    f"Nothing, if older entries may go: the next operation keeps the newest {HISTORY_LIMIT}. What "
    "the app wrote is in no ledger, so nothing is cut here; copy it first if it matters."
)


def long_histories(database: Database[Document]) -> Iterator[AuditFinding]:
    """Find characters with more history entries than they keep.

    Args:
        database: The StoryCanvas database.

    Yields:
        At most one finding, with the longest histories.

    Raises:
        pymongo.errors.PyMongoError: The server does not answer or refuses.
    """
    entries = {"$cond": [{"$isArray": _HISTORY}, {"$size": _HISTORY}, 0]}
    longest = {"n": LISTED, "sortBy": {"entries": -1}, "output": "$name"}
    pipeline: list[Document] = [
        {"$project": {"_id": 0, "entries": entries, "name": NAME}},
        {"$match": {"entries": {"$gt": HISTORY_LIMIT}}},
        {
            "$group": {
                "_id": None,
                "count": {"$sum": 1},
                "most": {"$max": "$entries"},
                "longest": {"$topN": longest},
            }
        },
    ]
    for told in database["characters"].aggregate(pipeline, allowDiskUse=True):
        yield AuditFinding(
            kind="long history",
            collection="characters",
            subject=f"more than {HISTORY_LIMIT} entries, {told['most']} at most",
            count=told["count"],
            ids=tuple(map(named, told["longest"])),
            remedy=_REMEDY,
        )
