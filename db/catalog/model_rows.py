"""The models of all servers as flat rows, for reports."""

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo.database import Database

from db.connection import Document, reading_anything, translated_errors

_FIELDS = (
    *("id", "backend_id", "model_id", "model_name", "model_type", "model_size", "is_active"),
    *("first_seen", "last_seen", "changed_at", "gone_at"),
    *("civitai_match_quality", "match_method", "civitai_model_id", "civitai_version_id"),
    *("model_metadata.folder", "model_metadata.hashes"),
)


def model_rows(database: Database[Document]) -> Iterator[Document]:
    """Read every model of every server, gone ones too.

    Args:
        database: The StoryCanvas database.

    Yields:
        Rows with id, backend_id, model_id, folder, model_name, model_type, base_model, size,
        sha256, blake3, is_active, first_seen, last_seen, changed_at, gone_at, match_quality,
        match_method, civitai_model_id and civitai_version_id, as far as they are known.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    base_models = _base_models(database)
    fields = {"_id": False} | dict.fromkeys(_FIELDS, True)
    with translated_errors():
        for one in reading_anything(database)["active_backend_models"].find({}, fields).sort("id"):
            yield _row(one, base_models)


def _base_models(database: Database[Document]) -> dict[str, str]:
    """Read base models by model id; the row that was given to a model comes before its namesake."""
    names = ("id", "catalog_model_id")
    fields = {"_id": False, "base_model": True} | dict.fromkeys(names, True)
    known = reading_anything(database)["database_models"]
    with translated_errors():
        rows = known.find({"base_model": {"$type": "string"}}, fields).to_list()
    told = ((one.get(name), one["base_model"]) for name in names for one in rows)
    return {model_id: base for model_id, base in told if isinstance(model_id, str)}


def _row(stored: Mapping[str, Any], base_models: Mapping[str, str]) -> Document:
    metadata = stored.get("model_metadata")
    told = metadata if isinstance(metadata, Mapping) else {}
    hashes = told.get("hashes")
    known = hashes if isinstance(hashes, Mapping) else {}
    return {
        **{name: stored.get(name) for name in _FIELDS if "." not in name},
        "folder": told.get("folder"),
        "size": stored.get("model_size"),
        "sha256": known.get("SHA256"),
        "blake3": known.get("BLAKE3"),
        "base_model": base_models.get(str(stored.get("model_id"))),
        "match_quality": stored.get("civitai_match_quality"),
    }
