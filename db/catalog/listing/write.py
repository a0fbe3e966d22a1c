"""Carrying out what a listing changes, one write for each model."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bson import ObjectId
from pymongo import InsertOne, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database

from db.catalog.bulk import ALREADY_THERE, Write, encoded, in_batches, shown, write_all
from db.catalog.listing.compare import ListedModel
from db.catalog.listing.documents import Rewrite, new_document, rewrite
from db.catalog.listing.stored import stored_documents
from db.catalog.server_rows import BackendRef
from db.connection import Document

LAST_SEEN_SECONDS = 600
"""`last_seen` moves only when it is older: moving 100,000 indexed dates takes seconds."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A write of one model.

    Attributes:
        kind: What it makes of the model: `new`, `back`, `changed` or `adopted`.
        model_id: The id that the model has then.
        write: What is to be written, or why it cannot be, as a sentence.
    """

    kind: str
    model_id: str
    write: Write | str


@dataclass(slots=True)
class Done:
    """What has been carried out.

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
    """Plan to write what differs from what is stored.

    Args:
        database: The StoryCanvas database.
        backend: Whose models.
        listed: Stored id, new id and what is listed of each.
        now: UTC.
    """
    for some in in_batches(listed):
        documents = stored_documents(database, [stored_id for stored_id, _, _ in some])
        for stored_id, new_id, item in some:
            if stored_id in documents:
                change = rewrite(backend, new_id, item, documents[stored_id])
                if change.fields:
                    yield _planned(change, now)


def carry_out(models: Collection[Document], plans: Iterable[Planned], done: Done) -> list[str]:
    """Write; a model that another run has stored in the meantime is neither written nor refused.

    Args:
        models: The collection.
        plans: In any order.
        done: Is added to.

    Returns:
        Ids of models whose key was there already.
    """
    planned = [*plans]
    possible = [(plan, plan.write) for plan in planned if not isinstance(plan.write, str)]
    done.refused += [
        (shown(plan.model_id), plan.write) for plan in planned if isinstance(plan.write, str)
    ]
    reasons = write_all(models, [write for _, write in possible])
    met = []
    for number, (row, _) in enumerate(possible):
        reason = reasons.get(number)
        if reason is None:
            done.ids.setdefault(row.kind, []).append(row.model_id)
        elif reason == ALREADY_THERE:
            met.append(row.model_id)
        else:
            done.refused.append((shown(row.model_id), reason))
    return met


def deactivate(
    models: Collection[Document], missing: Sequence[str], now: datetime, done: Done
) -> None:
    """Mark models as gone, but for those that a later run has seen.

    Args:
        models: The collection.
        missing: Ids of active models that are not listed.
        now: When the listing was read, UTC.
        done: Is added to.
    """
    for ids in in_batches(missing):
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
    """Note that models are still there, where that was noted long ago.

    Args:
        models: The collection.
        backend: Whose models.
        unchanged: Ids of those that are as they are stored.
        now: UTC.
        complete: Whether the listing lacks nothing; then all active models are there.
    """
    before = now - timedelta(seconds=LAST_SEEN_SECONDS)
    due = {"last_seen": {"$not": {"$gte": before}}}
    update = {"$max": {"last_seen": now}}
    if complete:
        models.update_many({"backend_id": backend.id, "is_active": True, **due}, update)
        return
    for ids in in_batches(unchanged):
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
