"""Writes what a listing changes, with a write for each model."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bson import ObjectId
from pymongo import InsertOne, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database

from db.catalog.bulk import ALREADY_THERE, BATCH, Write, encoded, shown, write_all
from db.catalog.listing.compare import ListedModel
from db.catalog.listing.documents import Rewrite, new_document, rewrite
from db.catalog.listing.stored import stored_documents
from db.catalog.server_rows import BackendRef
from db.connection import Document, in_batches

LAST_SEEN_SECONDS = 600
"""`last_seen` moves only if it is older: moving 100,000 indexed dates takes seconds."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A write of one model.

    Attributes:
        kind: `new`, `back`, `changed` or `adopted`.
        model_id: The id that the model has then.
        write: The write, or why it cannot be made, as a sentence.
    """

    kind: str
    model_id: str
    write: Write | str


@dataclass(slots=True)
class Done:
    """The writes that were made.

    Attributes:
        ids: Of models that were written, by kind.
        refused: Id of each model that could not be stored, and why, as a sentence.
    """

    ids: dict[str, list[str]] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)


def rewrites(
    database: Database[Document],
    backend: BackendRef,
    listed: Sequence[tuple[str, str, ListedModel]],
    now: datetime,
) -> Iterator[Planned]:
    """Plan the writes of models that differ; `listed` has stored id, new id and facts of each."""
    for some in in_batches(listed, BATCH):
        documents = stored_documents(database, [stored_id for stored_id, _, _ in some])
        for stored_id, new_id, item in some:
            if stored_id in documents:
                change = rewrite(backend, new_id, item, documents[stored_id])
                if change.fields:
                    yield _planned(change, now)


def apply_writes(models: Collection[Document], plans: Iterable[Planned], done: Done) -> list[str]:
    """Make planned writes and add them to `done`.

    Returns:
        Ids of models that another run has stored in the meantime, neither written nor refused.
    """
    planned = [*plans]
    reasons = write_all(models, [plan.write for plan in planned])
    collided = []
    for place, plan in enumerate(planned):
        reason = reasons.get(place)
        if reason is None:
            done.ids.setdefault(plan.kind, []).append(plan.model_id)
        elif reason == ALREADY_THERE:
            collided.append(plan.model_id)
        else:
            done.refused.append((shown(plan.model_id), reason))
    return collided


def deactivate(
    models: Collection[Document], missing: Sequence[str], now: datetime, done: Done
) -> None:
    """Mark active models that are not listed as gone, except those that a later run has seen.

    `now` is the time when the listing was read, UTC.
    """
    for ids in in_batches(missing, BATCH):
        wanted = {"id": {"$in": [*ids]}, "last_seen": {"$not": {"$gt": now}}}
        changed = models.update_many(wanted, {"$set": {"is_active": False, "gone_at": now}})
        gone = done.ids.setdefault("gone", [])
        if changed.modified_count == len(ids):
            gone += ids
        else:
            gone += models.distinct("id", {"id": {"$in": [*ids]}, "gone_at": now})


def move_last_seen(
    models: Collection[Document],
    backend: BackendRef,
    unchanged: Sequence[str],
    now: datetime,
    *,
    complete: bool,
) -> None:
    """Move `last_seen` of unchanged models if it is old.

    With a `complete` listing all active models are there, so that one update serves them all.
    """
    before = now - timedelta(seconds=LAST_SEEN_SECONDS)
    due = {"last_seen": {"$not": {"$gte": before}}}
    update = {"$max": {"last_seen": now}}
    if complete:
        models.update_many({"backend_id": backend.id, "is_active": True, **due}, update)
        return
    for ids in in_batches(unchanged, BATCH):
        models.update_many({"id": {"$in": [*ids]}, **due}, update)


def _planned(change: Rewrite, now: datetime) -> Planned:
    kind = "back" if change.is_back else "changed"
    if change.new_id != change.stored_id:
        kind = "adopted"
    back = {"gone_at": None} if change.is_back else {}
    fields = encoded({**change.fields, **back, "changed_at": now})
    update = {"$set": fields, "$max": {"last_seen": now}}
    write = fields if isinstance(fields, str) else UpdateOne({"id": change.stored_id}, update)
    return Planned(kind, change.new_id, write)


def store_new(
    database: Database[Document],
    backend: BackendRef,
    new: Mapping[str, ListedModel],
    now: datetime,
    done: Done,
) -> None:
    """Store models for the first time, by their ids.

    A model's id is its `_id` as well, unless that is taken: a model that was adopted by another
    server has a new id, but keeps the `_id` that it was stored with here.
    """
    models = database["active_backend_models"]
    collided = apply_writes(models, _inserts(backend, new, now), done)
    there = stored_documents(database, collided)
    free = {id_: new[id_] for id_ in collided if id_ not in there}
    apply_writes(models, _inserts(backend, free, now, own_key=True), done)


def _inserts(
    backend: BackendRef, new: Mapping[str, ListedModel], now: datetime, *, own_key: bool = False
) -> Iterator[Planned]:
    for id_, listed in new.items():
        document = {**new_document(backend, id_, listed), "first_seen": now, "last_seen": now}
        whole = encoded({**document, "_id": ObjectId()} if own_key else document)
        yield Planned("new", id_, whole if isinstance(whole, str) else InsertOne(whole))
