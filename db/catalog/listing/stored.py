"""Reads the stored models of a backend."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import pandas as pd
from pymongo.database import Database

from db.catalog.bulk import BATCH
from db.catalog.listing.compare import local_type
from db.catalog.server_rows import BackendRef
from db.connection import Document, in_batches, reading_anything, translated_errors

_FIELDS = (
    *("id", "backend_id", "model_id", "model_name", "model_type", "model_size", "is_active"),
    *("first_seen", "last_seen", "changed_at", "gone_at"),
    *("civitai_match_quality", "match_method", "civitai_model_id", "civitai_version_id"),
    *("model_metadata.folder", "model_metadata.hashes"),
)


def model_rows(database: Database[Document]) -> Iterator[Document]:
    """Read every model of every server, gone ones too.

    Yields:
        Rows with id, backend_id, model_id, folder, model_name, model_type, base_model, size,
        sha256, blake3, is_active, first_seen, last_seen, changed_at, gone_at, match_quality,
        match_method, civitai_model_id and civitai_version_id, as far as they are known.
    """
    base_models = _base_models(database)
    fields = {"_id": False, "model_kind": True} | dict.fromkeys(_FIELDS, True)
    with translated_errors():
        for row in reading_anything(database)["active_backend_models"].find({}, fields).sort("id"):
            yield _row(row, base_models)


def _base_models(database: Database[Document]) -> dict[str, str]:
    """Read base models by model id; a row with `catalog_model_id` comes before one with the id."""
    names = ("id", "catalog_model_id")
    fields = {"_id": False, "base_model": True} | dict.fromkeys(names, True)
    known = reading_anything(database)["database_models"]
    with translated_errors():
        rows = known.find({"base_model": {"$type": "string"}}, fields).to_list()
    pairs = ((row.get(name), row["base_model"]) for name in names for row in rows)
    return {model_id: base for model_id, base in pairs if isinstance(model_id, str)}


def _row(stored: Mapping[str, Any], base_models: Mapping[str, str]) -> Document:
    found = stored.get("model_metadata")
    metadata = found if isinstance(found, Mapping) else {}
    hashes = metadata.get("hashes")
    known = hashes if isinstance(hashes, Mapping) else {}
    return {
        **{name: stored.get(name) for name in _FIELDS if "." not in name},
        "model_type": local_type(stored),
        "folder": metadata.get("folder"),
        "size": stored.get("model_size"),
        "sha256": known.get("SHA256"),
        "blake3": known.get("BLAKE3"),
        "base_model": base_models.get(str(stored.get("model_id"))),
        "match_quality": stored.get("civitai_match_quality"),
    }


COLUMNS = (
    *("id", "model_type", "model_kind", "model_size", "is_active", "is_same_backend"),
    *("raw_name", "modified", "SHA256", "BLAKE3"),
)
"""All of type object, as stored; `is_same_backend`: whether name and address are the backend's."""

_BATCH = 20_000
_WHOLE = (
    *("id", "backend_name", "backend_url", "model_id", "model_name", "model_type", "model_path"),
    *("model_kind", "model_size", "is_active", "model_metadata"),
)


def stored_frame(database: Database[Document], backend: BackendRef) -> pd.DataFrame:
    """Read what a listing is compared with; documents without an id are left out.

    The values are flat, since decoding nested ones would take longer than all the rest.
    """
    own = {"backend_name": backend.name, "backend_url": backend.url}
    fields = {"_id": False} | dict.fromkeys(COLUMNS[:5], True)
    flat = {name: f"$model_metadata.{name}" for name in ("raw_name", "modified")}
    flat |= {kind: f"$model_metadata.hashes.{kind}" for kind in ("SHA256", "BLAKE3")}
    same = {"$and": [{"$eq": [f"${name}", {"$literal": value}]} for name, value in own.items()]}
    models = reading_anything(database)["active_backend_models"]
    wanted = {"backend_id": backend.id, "id": {"$type": "string"}}
    with translated_errors():
        found = models.find(
            wanted, {**fields, **flat, "is_same_backend": same}, batch_size=_BATCH
        ).to_list()
    found = [row for row in found if isinstance(row["id"], str)]  # not a list with a text in it
    columns = {name: [row.get(name) for row in found] for name in COLUMNS}
    frame = pd.DataFrame(columns, columns=[*COLUMNS], dtype=object)
    return frame if frame["id"].is_unique else frame.drop_duplicates("id", ignore_index=True)


def stored_documents(database: Database[Document], ids: Sequence[str]) -> dict[str, Document]:
    """Read models by id with all fields that a listing may change; missing ones are left out."""
    models = reading_anything(database)["active_backend_models"]
    fields = {"_id": False} | dict.fromkeys(_WHOLE, True)
    with translated_errors():
        found = (models.find({"id": {"$in": [*some]}}, fields) for some in in_batches(ids, BATCH))
        return {row["id"]: row for row in chain.from_iterable(found)}


def known_metadata(
    database: Database[Document], backend_id: str
) -> dict[tuple[str, str], tuple[int | None, float | None]]:
    """Find the files whose own metadata is stored, so that it is not requested again.

    A model that is gone may come back as another file, so its metadata is requested again.

    Returns:
        Size in bytes and time of change in seconds since 1970, as far as they are known, by folder
        and path.
    """
    wanted = {
        "backend_id": backend_id,
        "is_active": {"$ne": False},
        "model_metadata.pairs.0": {"$exists": True},
    }
    shown = ("model_id", "model_size", "model_metadata.folder", "model_metadata.modified")
    models = reading_anything(database)["active_backend_models"]
    known = {}
    with translated_errors():
        for row in models.find(wanted, {"_id": False} | dict.fromkeys(shown, True)):
            metadata, model_id = row["model_metadata"], row.get("model_id")
            folder = metadata.get("folder") if isinstance(metadata, dict) else None
            if isinstance(folder, str) and str(model_id).startswith(f"{folder}/"):
                path = str(model_id)[len(folder) + 1 :]
                known[folder, path] = (row.get("model_size"), metadata.get("modified"))
    return known
