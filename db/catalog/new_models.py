"""Storing models for the first time."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from bson import ObjectId
from pymongo import InsertOne
from pymongo.database import Database

from db.catalog.backend_ref import BackendRef
from db.catalog.listed import ListedModel
from db.catalog.model_writing import Done, Planned, carry_out
from db.catalog.rewriting import new_document
from db.catalog.stored_models import stored_documents
from db.catalog.writing import encoded
from db.connection import Document


def store_new(
    database: Database[Document],
    backend: BackendRef,
    new: Mapping[str, ListedModel],
    now: datetime,
    done: Done,
) -> None:
    """Store models for the first time.

    A model's id is its `_id`, too, unless that is taken: a model that was taken over by another
    server has a new id, but keeps the `_id` that it was stored with here.

    Args:
        database: The StoryCanvas database.
        backend: Whose models.
        new: By their ids.
        now: UTC.
        done: Is added to.
    """
    models = database["active_backend_models"]
    met = carry_out(models, _inserts(backend, new, now), done)
    there = stored_documents(database, met)
    free = {id_: new[id_] for id_ in met if id_ not in there}
    carry_out(models, _inserts(backend, free, now, own_key=True), done)


def _inserts(
    backend: BackendRef, new: Mapping[str, ListedModel], now: datetime, *, own_key: bool = False
) -> Iterator[Planned]:
    for id_, listed in new.items():
        document = {**new_document(backend, id_, listed), "first_seen": now, "last_seen": now}
        whole = encoded({**document, "_id": ObjectId()} if own_key else document)
        yield Planned("new", id_, whole if isinstance(whole, str) else InsertOne(whole))
