"""Documents of models as they should be, and the fields of stored ones that have to be written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.catalog.listing.compare import (
    ListedModel,
    app_type,
    finer_kind,
    plain_seconds,
    plain_size,
)
from db.catalog.server_rows import BackendRef
from db.connection import Document


@dataclass(frozen=True, slots=True)
class KnownFile:
    """The facts of a file.

    Attributes:
        size: Bytes; None if unknown.
        modified: Seconds since 1970; None if unknown.
        hashes: By kind.
        metadata: The file's own, as pairs.
    """

    size: int | None
    modified: float | None
    hashes: Mapping[str, str]
    metadata: Sequence[Sequence[str]]


def known_file(size: object, metadata: object) -> KnownFile:
    """Read the stored `model_size` and `model_metadata`, of any type."""
    known = metadata if isinstance(metadata, Mapping) else {}
    hashes, pairs = known.get("hashes"), known.get("pairs")
    return KnownFile(
        plain_size(size),
        plain_seconds(known.get("modified")),
        hashes if isinstance(hashes, Mapping) else {},
        [pair for pair in pairs if isinstance(pair, list)] if isinstance(pairs, list) else [],
    )


def merged(listed: ListedModel, stored: KnownFile) -> KnownFile:
    """Add stored facts to those that are listed now, unless the file is another one."""
    if not is_same_file(listed, stored):
        return KnownFile(listed.size, listed.modified, dict(listed.hashes), [*listed.metadata])
    return KnownFile(
        stored.size if listed.size is None else listed.size,
        stored.modified if listed.modified is None else listed.modified,
        {**stored.hashes, **listed.hashes},
        [*listed.metadata] or [*stored.metadata],
    )


def is_same_file(listed: ListedModel, stored: KnownFile) -> bool:
    """Whether no fact that is both listed and stored contradicts that the file is the same."""
    both: list[tuple[object, object]]
    both = [(listed.size, stored.size), (listed.modified, stored.modified)]
    both += [(value, stored.hashes.get(kind)) for kind, value in listed.hashes.items()]
    both += [([[*pair] for pair in listed.metadata] or None, [*stored.metadata] or None)]
    return all(now is None or before is None or now == before for now, before in both)


def metadata_of(listed: ListedModel, file: KnownFile | ListedModel) -> Document:
    """Make `model_metadata`."""
    return {
        "folder": listed.folder,
        "raw_name": listed.raw_name,
        "modified": file.modified,
        "hashes": dict(file.hashes),
        "pairs": [[*pair] for pair in file.metadata],
    }


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A stored model that has to be written.

    Attributes:
        stored_id: Its id as it is stored.
        new_id: Its id as it should be; another one for a model of the app's own scheme.
        fields: The fields to set; empty if it is as it should be.
        is_back: Whether it was inactive.
    """

    stored_id: str
    new_id: str
    fields: Document
    is_back: bool


def rewrite(
    backend: BackendRef, new_id: str, listed: ListedModel, stored: Mapping[str, Any]
) -> Rewrite:
    """Set the fields that differ, and only those: what others keep in the document stays."""
    file = merged(listed, known_file(stored.get("model_size"), stored.get("model_metadata")))
    wanted: Document = {"model_kind": None, **_facts(backend, listed)}
    wanted |= {
        "id": new_id,
        "model_size": file.size,
        "is_active": True,
    }
    fields = {name: value for name, value in wanted.items() if value != stored.get(name)}
    fields |= _metadata_fields(stored.get("model_metadata"), metadata_of(listed, file))
    is_back = stored.get("is_active") is not True
    return Rewrite(stored["id"], new_id, fields, is_back)


def new_document(backend: BackendRef, new_id: str, listed: ListedModel) -> Document:
    """Make the document of a model that is not stored yet, without times."""
    return {
        "_id": new_id,
        "id": new_id,
        "backend_id": backend.id,
        **_facts(backend, listed),
        "model_size": listed.size,
        "is_active": True,
        "model_metadata": metadata_of(listed, listed),
    }


def _metadata_fields(stored: object, wanted: Document) -> Document:
    """Set parts of `model_metadata`, or all of it if the stored value has no parts."""
    if not isinstance(stored, Mapping):
        return {"model_metadata": wanted}
    return {
        f"model_metadata.{name}": value
        for name, value in wanted.items()
        if name not in stored or stored[name] != value
    }


def _facts(backend: BackendRef, listed: ListedModel) -> Document:
    model_id = f"{listed.folder}/{listed.path}"
    kind = finer_kind(listed.model_type)
    return {
        "backend_name": backend.name,
        "backend_url": backend.url,
        "model_id": model_id,
        "model_name": listed.path.rpartition("/")[2],
        "model_type": app_type(listed.model_type),
        **({"model_kind": kind} if kind else {}),
        "model_path": model_id,
    }
