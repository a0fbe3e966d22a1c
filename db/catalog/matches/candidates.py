"""Finds the items of Civitai's catalog that local models may be."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pymongo.database import Database
from pymongo.errors import OperationFailure

from db.connection import Document, reading_anything, translated_errors

MAX_PER_NAME = 200
"""Items of a type that are read for a file name; with so many of them the name decides nothing."""
SUGGESTIONS = 20
SUGGESTION_SECONDS = 2.0
"""For one text search; a suggestion is not worth more."""

_HASHES = "modelVersions.files.hashes"
_FIELDS = (
    *("id", "name", "type", "nsfw", "tags", "description"),
    *(f"modelVersions.{name}" for name in ("id", "name", "baseModel", "publishedAt")),
    *(f"modelVersions.{name}" for name in ("trainedWords", "downloadUrl")),
    *(f"modelVersions.files.{name}" for name in ("name", "type", "sizeKB", "hashes")),
    "modelVersions.files.downloadUrl",
)
_SHOWN = {"_id": False} | dict.fromkeys(_FIELDS, True)
_WORD = re.compile(r"\w+")
_NO_TEXT_INDEX, _OUT_OF_TIME = 27, 50


@dataclass(frozen=True, slots=True)
class CandidateKeys:
    """The keys by which a batch of local models is looked up.

    Attributes:
        sha256: In upper case, as the other hashes.
        blake3: See `sha256`.
        autov2: See `sha256`.
        autov3: See `sha256`.
        file_keys: File names without case; leave out those that decide nothing.
        name_keys: The words of file names; leave out those that decide nothing.
    """

    sha256: Collection[str] = ()
    blake3: Collection[str] = ()
    autov2: Collection[str] = ()
    autov3: Collection[str] = ()
    file_keys: Collection[str] = ()
    name_keys: Collection[str] = ()


def find_candidates(database: Database[Document], keys: CandidateKeys) -> list[Document]:
    """Find every item with a file of these hashes or names of a few thousand models.

    Returns:
        Items, without pictures and statistics, ordered by id. Of one type with one such name, the
        first 200 by id.
    """
    ids = [*_named(database, keys)]
    fields = {"SHA256": keys.sha256, "BLAKE3": keys.blake3}
    fields |= {"AutoV2": keys.autov2, "AutoV3": keys.autov3}
    wanted: list[Document] = [
        {f"{_HASHES}.{kind}": {"$in": [*some]}} for kind, some in fields.items() if some
    ]
    wanted += [{"id": {"$in": ids}}] if ids else []
    if not wanted:
        return []
    models = reading_anything(database)["civitai_models"]
    with translated_errors():
        return [*models.find({"$or": wanted}, _SHOWN).sort("id").allow_disk_use(True)]


def find_suggestions(
    database: Database[Document], text: str, limit: int = SUGGESTIONS
) -> list[Document]:
    """Search the catalog's texts for the words of a name; without a text index, nothing is found.

    Returns:
        At most `limit` items as of `find_candidates`, the likeliest first; none if the search takes
        too long.
    """
    words = " ".join(_WORD.findall(text.replace("_", " ")))
    if not words:
        return []
    score = {"$meta": "textScore"}
    models = reading_anything(database)["civitai_models"]
    found = models.find({"$text": {"$search": words}}, _SHOWN | {"score": score})
    found = found.sort([("score", score), ("id", 1)]).limit(limit)
    with translated_errors():
        try:
            return [*found.max_time_ms(round(SUGGESTION_SECONDS * 1000))]
        except OperationFailure as error:
            if error.code in {_NO_TEXT_INDEX, _OUT_OF_TIME}:
                return []
            raise


def _named(database: Database[Document], keys: CandidateKeys) -> Iterator[int]:
    """Find the ids of items with these names, a bounded number for each name."""
    names = {"file_keys": {*keys.file_keys}, "name_keys": {*keys.name_keys}}
    wanted = [{field: {"$in": [*some]}} for field, some in names.items() if some]
    if not wanted:
        return
    counts: Counter[tuple[str, str, str]] = Counter()
    shown = {"_id": False, "id": True, "type": True} | dict.fromkeys(names, True)
    models = reading_anything(database)["civitai_models"]
    with translated_errors():
        for row in models.find({"$or": wanted}, shown).sort("id").allow_disk_use(True):
            kind = str(row.get("type"))
            pairs = ((field, key) for field in names for key in row.get(field) or ())
            own = [(kind, field, key) for field, key in pairs if key in names[field]]
            if any(counts[key] < MAX_PER_NAME for key in own):
                yield row["id"]
            counts.update(own)
