"""Documents of models as they should be, and what of a stored one has to be written."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from db.catalog.backend_ref import BackendRef
from db.catalog.listed import ListedModel
from db.catalog.merging import known_file, merged, metadata_of
from db.connection import Document

_LISTED = ListedModel._fields


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A stored model that has to be written.

    Attributes:
        stored_id: Its id as it is stored.
        new_id: Its id as it should be; another one for a model of the app's own scheme.
        fields: What is to be set besides.
        is_back: Whether it was inactive.
    """

    stored_id: str
    new_id: str
    fields: Document
    is_back: bool


def rewrite(backend: BackendRef, row: Mapping[Hashable, Any]) -> Rewrite:
    """Set what differs, and only that: what others keep in the document stays.

    Args:
        backend: Whose model.
        row: Columns of `ListedModel`, and of `db.catalog.stored_models.COLUMNS`; the
            names of the latter end in `_stored`.
    """
    listed = ListedModel(*(row[name] for name in _LISTED))
    before = known_file(row["model_size_stored"], row["model_metadata_stored"])
    file = merged(listed, before)
    wanted = _facts(backend, listed) | {"is_active": True, "model_size": file.size}
    fields = {name: value for name, value in wanted.items() if value != row[f"{name}_stored"]}
    fields |= _metadata_fields(row["model_metadata_stored"], metadata_of(listed, file))
    if row["id"] != row["id_stored"]:
        fields |= {"id": row["id"], "model_id": _model_id(listed)}
    return Rewrite(row["id_stored"], row["id"], fields, is_back=row["is_active_stored"] is not True)


def _metadata_fields(stored: object, wanted: Document) -> Document:
    """Set parts of `model_metadata`, or all of it where there is none to set parts of."""
    if not isinstance(stored, Mapping):
        return {"model_metadata": wanted}
    return {
        f"model_metadata.{name}": value
        for name, value in wanted.items()
        if name not in stored or stored[name] != value
    }


def new_document(backend: BackendRef, listed: ListedModel) -> Document:
    """Make the document of a model that is not stored yet, without times.

    Args:
        backend: Whose model.
        listed: The model.
    """
    file = merged(listed, known_file(None, None))
    return {
        "_id": f"{backend.id}/{listed.folder}/{listed.path}",
        "id": f"{backend.id}/{listed.folder}/{listed.path}",
        "backend_id": backend.id,
        "model_id": _model_id(listed),
        **_facts(backend, listed),
        "model_size": file.size,
        "is_active": True,
        "model_metadata": metadata_of(listed, file),
    }


def _facts(backend: BackendRef, listed: ListedModel) -> Document:
    return {
        "backend_name": backend.name,
        "backend_url": backend.url,
        "model_name": listed.path.rpartition("/")[2],
        "model_type": listed.model_type,
        "model_path": _model_id(listed),
    }


def _model_id(listed: ListedModel) -> str:
    return f"{listed.folder}/{listed.path}"
