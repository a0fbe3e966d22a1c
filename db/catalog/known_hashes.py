"""Which hashes of local models the imported catalog knows."""

from collections.abc import Iterable

from pymongo.database import Database

from db.connection import Document, reading_anything, translated_errors

_SHA256 = "modelVersions.files.hashes.SHA256"
_BATCH = 1_000


def unknown_sha256s(database: Database[Document], sha256s: Iterable[str]) -> list[str]:
    """Choose those that no file of `civitai_models` has.

    Args:
        database: The StoryCanvas database.
        sha256s: In upper case.

    Returns:
        Sorted, each once.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    wanted = sorted(set(sha256s))
    unknown: list[str] = []
    for begin in range(0, len(wanted), _BATCH):
        some = wanted[begin : begin + _BATCH]
        known = _known(database, some)
        unknown += [sha256 for sha256 in some if sha256 not in known]
    return unknown


def _known(database: Database[Document], sha256s: list[str]) -> set[str]:
    pipeline: list[Document] = [
        {"$match": {_SHA256: {"$in": sha256s}}},
        {"$project": {"_id": False, "found": f"${_SHA256}"}},
        {"$unwind": "$found"},
        {"$unwind": "$found"},
        {"$match": {"found": {"$in": sha256s}}},
        {"$group": {"_id": "$found"}},
    ]
    with translated_errors():
        models = reading_anything(database)["civitai_models"]
        return {one["_id"] for one in models.aggregate(pipeline)}
