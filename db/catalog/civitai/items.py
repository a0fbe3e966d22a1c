"""Stores items of Civitai's catalog."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.database import Database

from db.catalog.bulk import Write, encoded
from db.catalog.civitai.item_writes import INT64, StoredItem, apply_writes, write_items
from db.connection import Document, in_batches, reading_anything, translated_errors


def stored_versions(
    database: Database[Document], ids: Sequence[int]
) -> dict[int, list[dict[str, Any]]]:
    """Read the versions of a few hundred items, by the item's id; only objects are versions.

    Older items have them as `model_versions`.
    """
    wanted = [id_ for id_ in ids if id_ in INT64]
    fields = {"_id": False, "id": True, "modelVersions": True, "model_versions": True}
    models = reading_anything(database)["civitai_models"]
    with translated_errors():
        found = list(models.find({"id": {"$in": wanted}}, fields))
    return {
        int(row["id"]): _objects(row.get("modelVersions", row.get("model_versions")))
        for row in found
    }


def _objects(value: object) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


_BATCH = 1_000


def unknown_hashes(database: Database[Document], kind: str, hashes: Iterable[str]) -> list[str]:
    """Choose the hashes that no file of `civitai_models` has, sorted and without repetition.

    Args:
        database: The StoryCanvas database.
        kind: Which hash, in Civitai's words, such as `SHA256`.
        hashes: In upper case.
    """
    wanted = sorted(set(hashes))
    unknown: list[str] = []
    for some in in_batches(wanted, _BATCH):
        known = _known(database, f"modelVersions.files.hashes.{kind}", some)
        unknown += [digits for digits in some if digits not in known]
    return unknown


def _known(database: Database[Document], field: str, hashes: Sequence[str]) -> set[str]:
    pipeline: list[Document] = [
        {"$match": {field: {"$in": [*hashes]}}},
        {"$project": {"_id": False, "found": f"${field}"}},
        {"$unwind": "$found"},
        {"$unwind": "$found"},
        {"$match": {"found": {"$in": [*hashes]}}},
        {"$group": {"_id": "$found"}},
    ]
    with translated_errors():
        models = reading_anything(database)["civitai_models"]
        return {row["_id"] for row in models.aggregate(pipeline)}


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """The outcome of a batch of items; the four counts add up to the items.

    Attributes:
        new: Stored for the first time.
        changed: Differ from what was stored.
        unchanged: Are as they were stored but for the statistics, or came twice in the list.
        failed: Id of each item that could not be stored, and why, as a sentence.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is compared of a stored item.

    Attributes:
        content_hash: None where another program stored it.
        import_id: The import that wrote it last.
        stats: Statistics of the item.
        versions: Each with its statistics.
    """

    content_hash: str | None
    import_id: str | None
    stats: object
    versions: list[dict[str, Any]]


def upsert_items(
    database: Database[Document],
    items: Sequence[StoredItem],
    now: datetime,
    import_id: str,
    *,
    is_one_list: bool = False,
) -> UpsertCounts:
    """Store those of a few thousand items that are new or differ from what is stored.

    Statistics, which move every hour, are no difference, but are written where they moved; an item
    that is the same with its statistics costs no write. Fields of the document that are not
    Civitai's stay. An item that MongoDB cannot hold, or refuses, does not prevent the others. Of
    items with the same id the last counts.

    Args:
        database: The StoryCanvas database.
        items: As read.
        now: UTC.
        import_id: Which import it is.
        is_one_list: Whether all items of this import come from one list, so that an id that it
            has already written came twice and is not one more change.
    """
    latest = {item.id: item for item in items}
    models = database["civitai_models"]
    with translated_errors():
        stored = _stored_parts(database, [*latest])
        wanted = [row for row in latest.values() if _differs(row, stored.get(row.id))]
        there = [row for row in latest.values() if not _differs(row, stored.get(row.id))]
        moved = {row.id: write for row in there if (write := _moved(row, stored[row.id]))}
        failed = write_items(models, wanted, {"_imported_at": now, "_import_id": import_id})
        failed |= apply_writes(models, moved)
    written = [row for row in wanted if row.id not in failed]
    new = sum(row.id not in stored for row in written)
    again = (stored[row.id].import_id == import_id for row in written if row.id in stored)
    twice = sum(again) if is_one_list else 0
    return UpsertCounts(
        new=new,
        changed=len(written) - new - twice,
        unchanged=len(items) - len(written) - len(failed) + twice,
        failed=tuple(failed.items()),
    )


def _differs(item: StoredItem, stored: _Stored | None) -> bool:
    return stored is None or stored.content_hash != item.content_hash


_COMPARED = ["id", "content_hash", "_import_id", "stats", "modelVersions.stats"]


def _stored_parts(database: Database[Document], ids: Sequence[int]) -> dict[int, _Stored]:
    wanted = {"id": {"$in": [id_ for id_ in ids if id_ in INT64]}}
    return {
        int(row["id"]): _Stored(
            row.get("content_hash"),
            row.get("_import_id"),
            row.get("stats"),
            _objects(row.get("modelVersions")),
        )
        for row in reading_anything(database)["civitai_models"].find(wanted, _COMPARED)
    }


def _moved(item: StoredItem, stored: _Stored) -> Write | str | None:
    """Update the statistics that moved, of an item that is otherwise as it is stored."""
    document = item.document
    fields: Document = {}
    if "stats" in document and document["stats"] != stored.stats:
        fields["stats"] = document["stats"]
    versions = _objects(document.get("modelVersions"))
    if len(versions) == len(stored.versions):
        for place, (version, known) in enumerate(zip(versions, stored.versions, strict=True)):
            if "stats" in version and version["stats"] != known.get("stats"):
                fields[f"modelVersions.{place}.stats"] = version["stats"]
    if not fields:
        return None
    whole = encoded(fields)
    if isinstance(whole, str):
        return whole
    # The hash proves that the versions still stand at these places.
    return UpdateOne({"id": item.id, "content_hash": item.content_hash}, {"$set": whole})
