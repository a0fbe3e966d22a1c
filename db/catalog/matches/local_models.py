"""The model files that servers can load, each once, with what all servers tell about it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from pymongo.database import Database

from db.catalog.listing.compare import plain_size
from db.catalog.matches.links import is_confirmed
from db.connection import Document, reading_anything, translated_errors

BATCH = 1_000

_FIELDS = (
    *("model_id", "model_type", "model_size", "backend_name", "model_metadata.hashes"),
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
        sizes: What the servers tell, in bytes; several if they tell different ones.
    """

    model_id: str
    file_name: str
    model_type: str
    hashes: Mapping[str, frozenset[str]]
    servers: tuple[str, ...]
    is_confirmed: bool = False
    sizes: frozenset[int] = frozenset()


def local_models(
    database: Database[Document], batch: int = BATCH
) -> Iterator[list[StoredLocalModel]]:
    """Read the active models of all servers, ordered by `model_id`; memory stays flat.

    Each batch has a cursor of its own, since MongoDB drops one that is not read for 10 minutes,
    and the work on a batch may take longer.

    Args:
        database: The StoryCanvas database.
        batch: Most models at a time.
    """
    some = _models_after(database, {}, batch)
    while some:
        yield some
        some = _models_after(database, {"$gt": some[-1].model_id}, batch)


def _models_after(
    database: Database[Document], after: Document, batch: int
) -> list[StoredLocalModel]:
    wanted = {"is_active": True, "model_id": {"$type": "string", **after}}
    fields = {"_id": False} | dict.fromkeys(_FIELDS, True)
    stored = reading_anything(database)["active_backend_models"]
    rows = stored.find(wanted, fields, batch_size=batch + 1)  # more would be read in vain
    with translated_errors(), rows.sort("model_id").allow_disk_use(True) as found:
        models = groupby(found, lambda row: row["model_id"])
        return [_joined(model_id, told) for model_id, told in islice(models, batch)]


def _joined(model_id: str, rows: Iterable[Mapping[str, Any]]) -> StoredLocalModel:
    told = [*rows]
    hashes: dict[str, set[str]] = {}
    for kind, value in (pair for row in told for pair in _hashes(row)):
        hashes.setdefault(kind, set()).add(value)
    types = _texts(told, "model_type")
    sizes = (plain_size(row.get("model_size")) for row in told)
    return StoredLocalModel(
        model_id=model_id,
        file_name=model_id.rpartition("/")[2],
        model_type=types[0] if len(types) == 1 else "other",
        hashes={kind: frozenset(values) for kind, values in hashes.items()},
        servers=tuple(_texts(told, "backend_name")),
        is_confirmed=any(map(is_confirmed, told)),
        sizes=frozenset(size for size in sizes if size is not None),
    )


def _texts(rows: Iterable[Mapping[str, Any]], field: str) -> list[str]:
    return sorted({text for row in rows if isinstance(text := row.get(field), str)})


def _hashes(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    metadata = row.get("model_metadata")
    hashes = metadata.get("hashes") if isinstance(metadata, Mapping) else None
    for kind, value in hashes.items() if isinstance(hashes, Mapping) else ():
        if isinstance(value, str) and value:
            yield kind, value
