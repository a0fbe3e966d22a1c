"""Documents of models as they should be, and what of a stored one has to be written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.catalog.backend_ref import BackendRef
from db.catalog.listed import ListedModel
from db.catalog.merging import known_file, merged, metadata_of
from db.connection import Document


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A stored model that has to be written.

    Attributes:
        stored_id: Its id as it is stored.
        new_id: Its id as it should be; another one for a model of the app's own scheme.
        fields: What is to be set; nothing if it is as it should be.
        is_back: Whether it was inactive.
    """

    stored_id: str
    new_id: str
    fields: Document
    is_back: bool


def rewrite(
    backend: BackendRef, new_id: str, listed: ListedModel, stored: Mapping[str, Any]
) -> Rewrite:
    """Set what differs, and only that: what others keep in the document stays.

    Args:
        backend: Whose model.
        new_id: Its id as it should be.
        listed: What is told now.
        stored: Its document.
    """
    file = merged(listed, known_file(stored.get("model_size"), stored.get("model_metadata")))
    wanted = _facts(backend, listed) | {
        "id": new_id,
        "model_size": file.size,
        "is_active": True,
    }
    fields = {name: value for name, value in wanted.items() if value != stored.get(name)}
    fields |= _metadata_fields(stored.get("model_metadata"), metadata_of(listed, file))
    is_back = stored.get("is_active") is not True
    return Rewrite(stored["id"], new_id, fields, is_back)


def new_document(backend: BackendRef, new_id: str, listed: ListedModel) -> Document:
    """Make the document of a model that is not stored yet, without times.

    Args:
        backend: Whose model.
        new_id: Its id.
        listed: What is told.
    """
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
    """Set parts of `model_metadata`, or all of it where there is none to set parts of."""
    if not isinstance(stored, Mapping):
        return {"model_metadata": wanted}
    return {
        f"model_metadata.{name}": value
        for name, value in wanted.items()
        if name not in stored or stored[name] != value
    }


def _facts(backend: BackendRef, listed: ListedModel) -> Document:
    model_id = f"{listed.folder}/{listed.path}"
    return {
        "backend_name": backend.name,
        "backend_url": backend.url,
        "model_id": model_id,
        "model_name": listed.path.rpartition("/")[2],
        "model_type": listed.model_type,
        "model_path": model_id,
    }
