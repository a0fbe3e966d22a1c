"""The model files that servers can load, each once, with what all servers tell about it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from pymongo.database import Database

from db.catalog.confirmed import is_confirmed
from db.connection import Document, reading_anything, translated_errors

BATCH = 1_000

_FIELDS = (
    *("model_id", "model_name", "model_type", "backend_name", "model_metadata.hashes"),
    *("civitai_match_quality", "civitai_match_confirmed"),
)


@dataclass(frozen=True, slots=True)
class StoredLocalModel:
    """A model file, the same on every server that has it.

    Attributes:
        model_id: Folder and path.
        file_name: The last part of the path.
        model_type: A type of `database_models`.
        hashes: What the servers tell, by kind; several of a kind if they tell different ones.
        servers: Names of the servers that have it, sorted.
        is_confirmed: Whether a person made or confirmed its link on any of them.
    """

    model_id: str
    file_name: str
    model_type: str
    hashes: Mapping[str, frozenset[str]]
    servers: tuple[str, ...]
    is_confirmed: bool = False


def local_models(
    database: Database[Document], batch: int = BATCH
) -> Iterator[list[StoredLocalModel]]:
    """Read the active models of all servers, ordered by `model_id`; memory stays flat.

    Args:
        database: The StoryCanvas database.
        batch: Most models at a time.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    wanted = {"is_active": True, "model_id": {"$type": "string"}}
    fields = {"_id": False} | dict.fromkeys(_FIELDS, True)
    stored = reading_anything(database)["active_backend_models"]
    with translated_errors():
        found = stored.find(wanted, fields).sort("model_id").allow_disk_use(True)
        models = (
            _joined(model_id, rows)
            for model_id, rows in groupby(found, lambda one: one["model_id"])
        )
        while some := [*islice(models, batch)]:
            yield some


def _joined(model_id: str, rows: Iterable[Mapping[str, Any]]) -> StoredLocalModel:
    told = [*rows]
    hashes: dict[str, set[str]] = {}
    for kind, value in (pair for one in told for pair in _hashes(one)):
        hashes.setdefault(kind, set()).add(value)
    types = sorted({one["model_type"] for one in told if isinstance(one.get("model_type"), str)})
    return StoredLocalModel(
        model_id=model_id,
        file_name=model_id.rpartition("/")[2],
        model_type=types[0] if len(types) == 1 else "other",
        hashes={kind: frozenset(values) for kind, values in hashes.items()},
        servers=tuple(sorted({str(one.get("backend_name")) for one in told})),
        is_confirmed=any(map(is_confirmed, told)),
    )


def _hashes(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    metadata = row.get("model_metadata")
    hashes = metadata.get("hashes") if isinstance(metadata, Mapping) else None
    for kind, value in hashes.items() if isinstance(hashes, Mapping) else ():
        if isinstance(value, str) and value:
            yield kind, value
