"""The model files that servers can load, each once, with the facts of all servers."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from pymongo.database import Database

from db.catalog.listing.compare import local_type, plain_size
from db.catalog.matches.links import is_confirmed
from db.connection import Document, reading_anything, translated_errors

BATCH = 1_000

_FIELDS = (
    *("model_id", "model_type", "model_kind", "model_size", "backend_id"),
    *("model_metadata.hashes", "model_metadata.raw_name"),
    *("civitai_match_quality", "civitai_match_confirmed"),
)


@dataclass(frozen=True, slots=True)
class StoredLocalModel:
    """A model file, the same on every server that has it.

    Attributes:
        model_id: Folder and path.
        file_name: The last part of the path.
        model_type: A type of `database_models`.
        hashes: From all servers, by kind; several of a kind if they differ.
        servers: Ids of the servers that have it, sorted.
        raw_names: The path below the folder as these servers spell it, sorted.
        is_confirmed: Whether a person made or confirmed its link on any of them.
        sizes: From all servers, in bytes; several if they differ.
    """

    model_id: str
    file_name: str
    model_type: str
    hashes: Mapping[str, frozenset[str]]
    servers: tuple[str, ...]
    raw_names: tuple[str, ...] = ()
    is_confirmed: bool = False
    sizes: frozenset[int] = frozenset()


def local_models(
    database: Database[Document], batch: int = BATCH
) -> Iterator[list[StoredLocalModel]]:
    """Read the active models of all servers in batches, ordered by `model_id`, with little memory.

    Each batch has a cursor of its own: MongoDB drops a cursor that is not read for 10 minutes, and
    the work on a batch may take longer.
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
    rows = stored.find(wanted, fields, batch_size=batch + 1)  # the rest would be read in vain
    with translated_errors(), rows.sort("model_id").allow_disk_use(True) as found:
        models = groupby(found, lambda row: row["model_id"])
        return [_joined(model_id, documents) for model_id, documents in islice(models, batch)]


def _joined(model_id: str, rows: Iterable[Mapping[str, Any]]) -> StoredLocalModel:
    documents = [*rows]
    hashes: dict[str, set[str]] = {}
    for kind, value in (pair for row in documents for pair in _hashes(row)):
        hashes.setdefault(kind, set()).add(value)
    types = _texts(map(local_type, documents))
    sizes = (plain_size(row.get("model_size")) for row in documents)
    return StoredLocalModel(
        model_id=model_id,
        file_name=model_id.rpartition("/")[2],
        model_type=types[0] if len(types) == 1 else "other",
        hashes={kind: frozenset(values) for kind, values in hashes.items()},
        servers=tuple(_texts(row.get("backend_id") for row in documents)),
        raw_names=tuple(_texts(_metadata(row).get("raw_name") for row in documents)),
        is_confirmed=any(map(is_confirmed, documents)),
        sizes=frozenset(size for size in sizes if size is not None),
    )


def _texts(values: Iterable[object]) -> list[str]:
    return sorted({text for text in values if isinstance(text, str)})


def _metadata(row: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = row.get("model_metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def _hashes(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    hashes = _metadata(row).get("hashes")
    for kind, value in hashes.items() if isinstance(hashes, Mapping) else ():
        if isinstance(value, str) and value:
            yield kind, value
