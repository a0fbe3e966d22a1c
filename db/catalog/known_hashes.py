"""Which hashes of local models the imported catalog knows."""

from collections.abc import Iterable

from pymongo.database import Database

from db.connection import Document, reading_anything, translated_errors

_BATCH = 1_000


def unknown_hashes(database: Database[Document], kind: str, hashes: Iterable[str]) -> list[str]:
    """Choose those that no file of `civitai_models` has.

    Args:
        database: The StoryCanvas database.
        kind: Which hash, in Civitai's words, such as `SHA256`.
        hashes: In upper case.

    Returns:
        Sorted, each once.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    wanted = sorted(set(hashes))
    unknown: list[str] = []
    for begin in range(0, len(wanted), _BATCH):
        some = wanted[begin : begin + _BATCH]
        known = _known(database, f"modelVersions.files.hashes.{kind}", some)
        unknown += [digits for digits in some if digits not in known]
    return unknown


def _known(database: Database[Document], field: str, hashes: list[str]) -> set[str]:
    pipeline: list[Document] = [
        {"$match": {field: {"$in": hashes}}},
        {"$project": {"_id": False, "found": f"${field}"}},
        {"$unwind": "$found"},
        {"$unwind": "$found"},
        {"$match": {"found": {"$in": hashes}}},
        {"$group": {"_id": "$found"}},
    ]
    with translated_errors():
        models = reading_anything(database)["civitai_models"]
        return {one["_id"] for one in models.aggregate(pipeline)}
