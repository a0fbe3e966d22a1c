"""Documents as old drivers and imports left them: fields twice, broken text, hardly any room."""

import struct
from dataclasses import dataclass
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from tests.support.db.database_state import Data

HISTORY = "facefusion_processing_history"
GALLERY = "facefusion_output_gallery"
LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True)
class Broken:
    """A text of bytes that are not UTF-8."""

    data: bytes


def raw(*fields: tuple[str, Any]) -> RawBSONDocument:
    """Make a document of fields in this order; a name may stand twice."""
    body = b"".join(_element(name, value) for name, value in fields)
    return RawBSONDocument(struct.pack("<i", len(body) + 5) + body + b"\0")


def _element(name: str, value: object) -> bytes:
    if isinstance(value, Broken):
        length = struct.pack("<i", len(value.data) + 1)
        return b"\x02" + name.encode() + b"\0" + length + value.data + b"\0"
    return bson.encode({name: value})[4:-1]


def of_size(size: int, fields: dict[str, Any]) -> dict[str, Any]:
    """Make a document of so many bytes."""
    padded = {**fields, "notes": ""}
    return {**padded, "notes": "x" * (size - len(bson.encode(padded)))}


DOUBLED: dict[str, list[RawBSONDocument]] = {
    "characters": [
        raw(("_id", 1), ("id", "name-twice"), ("name", "Mira"), ("name", "Nora")),
        raw(("_id", 2), ("id", "history-twice"), (HISTORY, None), (HISTORY, None)),
        raw(("_id", 3), ("id", "undo-twice"), ("migration_undo", {}), ("migration_undo", {})),
    ],
    "clips": [raw(("_id", 4), ("id", "clip-twice"), ("scene_id", "inn"), ("scene_id", "inn"))],
    "scenes": [raw(("_id", 5), ("id", "times-twice"), *[("created_at", "2026-01-02")] * 2)],
    "users": [
        raw(("_id", 6), ("id", 7), ("password_hash", "x"), *[("email", "bo@example.org")] * 2),
    ],
    "images": [raw(("_id", 8), ("id", "image-twice"), *[("user_id", 9)] * 2)],
    "database_models": [
        raw(("_id", 9), ("id", "s/a.ckpt"), ("catalog_model_id", "s/a.ckpt"), *[("name", "a")] * 2),
    ],
    "inference_configurations": [
        raw(("_id", 10), ("id", "preset-twice"), ("model_id", "m"), *[("preset_type", "p")] * 2),
    ],
}
"""By collection, documents that migrations would change and that have a field twice."""

INSIDE: list[RawBSONDocument] = [
    raw(
        ("_id", 11),
        ("id", "gallery"),
        (GALLERY, raw(("custom_outputs", ["a"]), ("custom_outputs", ["b"]))),
    ),
    raw(
        ("_id", 12),
        ("id", "entry"),
        (HISTORY, [raw(("created_at", "2026-01-02"), *[("operation_type", "enhance")] * 2)]),
    ),
]
"""Characters with a field twice in what migrations take apart."""

BROKEN_TIME = Broken(b"2026\xff-01-02")


def insert(database: Data, collection: str, *documents: Any) -> None:
    """Insert documents as they are; the driver's own insert would add nothing to them either."""
    answer = database.command("insert", collection, documents=[*documents])
    assert answer["n"] == len(documents), answer
