"""Writes items of Civitai's catalog over what is stored of them.

No update is by a pipeline where a plain one does: MongoDB 6.0.5 compares the document before such
an update with the one after, and aborts where a field stands twice in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import UpdateOne
from pymongo.collection import Collection

from db.catalog.bulk import ALREADY_THERE, Write, encoded, write_all
from db.connection import Document
from db.migrations.engine.odd import NOT_DOUBLED, has_doubled_field

INT64 = range(-(2**63), 2**63)
"""Numbers that BSON holds."""
LIFTED = ("base_models", "file_keys", "name_keys")
"""Fields that are derived from an item's own."""
ITEM_FIELDS = (
    *("id", "name", "type", "description", "tags", "nsfw", "nsfwLevel", "minor", "poi", "sfwOnly"),
    *("allowNoCredit", "allowCommercialUse", "allowDerivatives", "allowDifferentLicense"),
    *("availability", "cosmetic", "supportsGeneration", "mode", "stats", "creator"),
    *("modelVersions", "model_versions", "baseModel", "userId", "meta", "downloadUrl"),
)
"""Fields of Civitai's items (docs/catalog.md), and the older name `model_versions`.

One that an item no longer has, such as `mode` once it is no longer archived, is removed.
"""


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item to store.

    Attributes:
        id: Civitai's number.
        document: The item with the fields that are derived from it.
        content_hash: Changes when the item does.
    """

    id: int
    document: Mapping[str, Any]
    content_hash: str


_TWICE = (
    "The stored document has the same field twice; write it anew with each field once, or remove "
    "it."
)


def write_items(
    models: Collection[Document], items: Sequence[StoredItem], marks: Document
) -> dict[int, str]:
    """Write items; return why some are not stored.

    An upsert that collides with another run's insert of the same item is repeated, and then
    updates it. Fields whose names have dots, which a plain update would take for paths, are added
    after the others, with the content's hash: after a kill in between the item still differs.
    """
    doubled = dict.fromkeys(_doubled(models, items), _TWICE)
    writable = [item for item in items if item.id not in doubled]
    writes = {item.id: _upsert(item, marks) for item in writable}
    refused = apply_writes(models, writes)
    collided = {id_: writes[id_] for id_, why in refused.items() if why == ALREADY_THERE}
    others = {id_: why for id_, why in refused.items() if id_ not in collided}
    others |= doubled | apply_writes(models, collided)
    written = (item for item in writable if item.id not in others)
    return others | apply_writes(models, dict(_dotted_fields(written)))


def apply_writes(models: Collection[Document], writes: Mapping[int, Write | str]) -> dict[int, str]:
    """Make the writes of items; return why some are refused, by the item's id."""
    ids = [*writes]
    return {ids[place]: why for place, why in write_all(models, writes.values()).items()}


def _doubled(models: Collection[Document], items: Sequence[StoredItem]) -> list[int]:
    """Find the items whose stored document has a field twice, of which only one would change."""
    ids = [item.id for item in items if item.id in INT64]
    found = models.find({"id": {"$in": ids}, "$expr": has_doubled_field()}, {"id": True})
    return [int(row["id"]) for row in found]


def _upsert(item: StoredItem, marks: Document) -> Write | str:
    plain = {
        name: value for name, value in item.document.items() if name != "_id" and not _is_path(name)
    }
    mark = {} if any(map(_is_path, item.document)) else {"content_hash": item.content_hash}
    whole = encoded(plain | marks | {"id": item.id} | mark)
    if isinstance(whole, str):
        return whole
    gone = dict.fromkeys((name for name in (*ITEM_FIELDS, *LIFTED) if name not in plain), True)
    update = {"$set": whole, "$unset": gone, "$setOnInsert": {"_id": item.id}}
    return UpdateOne({"id": item.id}, update, upsert=True)


def _is_path(name: str) -> bool:
    return "." in name or name.startswith("$")


def _dotted_fields(items: Iterator[StoredItem]) -> Iterator[tuple[int, Write | str]]:
    """Add fields whose names a plain update does not take; every other field stays as it is."""
    for item in items:
        dotted = {name: value for name, value in item.document.items() if _is_path(name)}
        if dotted:
            whole = encoded(dotted | {"content_hash": item.content_hash})
            kept = {"$replaceWith": {"$mergeObjects": ["$$ROOT", {"$literal": whole}]}}
            only = {"id": item.id, **NOT_DOUBLED}
            yield item.id, whole if isinstance(whole, str) else UpdateOne(only, [kept])
