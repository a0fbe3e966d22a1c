"""Bringing the stored models of a backend to what its server lists.

Killed at any moment and run again, it ends as if it had not been: every write is one document's,
and what is left to do is found by looking.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pandas as pd
import pymongo
from pymongo import InsertOne, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database

from db.catalog.backend_ref import BackendRef
from db.catalog.comparing import compare
from db.catalog.rewriting import Rewrite
from db.catalog.stored_models import stored_frame
from db.catalog.writing import ALREADY_THERE, Write, encoded, in_batches, shown, write_all
from db.connection import Document, translated_errors

LAST_SEEN_SECONDS = 600
"""`last_seen` moves only when it is older: moving 100,000 indexed dates takes seconds."""
LISTED = 50
"""Most ids of each kind in the result."""
PATIENCE_SECONDS = 600.0
"""For one backend's writes; the connection's own 10 s would not do for a million models."""


@dataclass(frozen=True, slots=True)
class ModelChanges:
    """What became of a backend's models; the first five are counts without overlap.

    Attributes:
        new: Stored for the first time.
        back: Were inactive.
        changed: Differ from what was stored.
        adopted: Had an id of the app's own scheme.
        gone: Became inactive.
        unchanged: Are as they were stored.
        first_ids: The first 50 ids of `new`, `back`, `changed`, `adopted` and `gone`.
        refused: Id of each model that could not be stored, and why, as a sentence.
    """

    new: int = 0
    back: int = 0
    changed: int = 0
    adopted: int = 0
    gone: int = 0
    unchanged: int = 0
    first_ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: tuple[tuple[str, str], ...] = ()


def sync_models(
    database: Database[Document],
    backend: BackendRef,
    listed: pd.DataFrame,
    complete: bool,
    now: datetime,
) -> ModelChanges:
    """Bring what is stored about a backend's models to what its server lists.

    `first_seen` stays, and so does whatever others keep in a document, its links with Civitai
    among them. What a listing does not tell this time stays as long as size and time of change
    do not contradict. A model of the app's older id scheme is taken over with all that it holds
    where one listed file only can be meant; any other counts as not listed.

    Args:
        database: The StoryCanvas database.
        backend: Whose models.
        listed: Made by `db.catalog.listed.listed_frame`.
        complete: Whether the listing lacks nothing; only then what is not listed becomes inactive.
        now: When the server was asked, UTC.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    found = compare(backend, listed, stored_frame(database, backend.id))
    models = database["active_backend_models"]
    with translated_errors(), pymongo.timeout(PATIENCE_SECONDS):
        kinds, refused = _write(models, (_rewriting(one, now) for one in found.rewrites))
        new, not_stored = _write(models, (_inserting(one, now) for one in found.new))
        if complete:
            kinds["gone"] = _deactivate(models, found.missing, now)
        _move_last_seen(models, backend, found.unchanged, complete, now)
    kinds |= new
    return ModelChanges(
        **{kind: len(ids) for kind, ids in kinds.items()},
        unchanged=len(found.unchanged),
        first_ids={kind: tuple(ids[:LISTED]) for kind, ids in kinds.items()},
        refused=(*refused, *not_stored),
    )


@dataclass(frozen=True, slots=True)
class _Planned:
    """A write of one model, or why there can be none."""

    kind: str
    model_id: str
    write: Write | str


def _inserting(document: Document, now: datetime) -> _Planned:
    whole = encoded({**document, "first_seen": now, "last_seen": now})
    return _Planned("new", document["id"], whole if isinstance(whole, str) else InsertOne(whole))


def _rewriting(rewrite: Rewrite, now: datetime) -> _Planned:
    kind = "back" if rewrite.is_back else "changed"
    if rewrite.new_id != rewrite.stored_id:
        kind = "adopted"
    back = {"gone_at": None} if rewrite.is_back else {}
    fields = encoded({**rewrite.fields, **back, "changed_at": now})
    update = {"$set": fields, "$max": {"last_seen": now}}
    write = fields if isinstance(fields, str) else UpdateOne({"id": rewrite.stored_id}, update)
    return _Planned(kind, rewrite.new_id, write)


def _write(
    models: Collection[Document], plans: Iterable[_Planned]
) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Carry out; a model that another run has stored in the meantime is neither new nor refused.

    Returns:
        Ids of what was written, by kind, and what was refused.
    """
    planned = [*plans]
    possible = [one for one in planned if not isinstance(one.write, str)]
    refused = [(shown(one.model_id), one.write) for one in planned if isinstance(one.write, str)]
    writes = [one.write for one in possible if not isinstance(one.write, str)]
    reasons = write_all(models, writes)
    kinds: dict[str, list[str]] = {}
    for number, one in enumerate(possible):
        reason = reasons.get(number)
        if reason is None:
            kinds.setdefault(one.kind, []).append(one.model_id)
        elif reason != ALREADY_THERE:
            refused.append((shown(one.model_id), reason))
    return kinds, refused


def _deactivate(models: Collection[Document], missing: Sequence[str], now: datetime) -> list[str]:
    """Mark models as gone, but for those that a later run has seen."""
    gone: list[str] = []
    for ids in in_batches(missing):
        wanted = {"id": {"$in": [*ids]}, "last_seen": {"$not": {"$gt": now}}}
        done = models.update_many(wanted, {"$set": {"is_active": False, "gone_at": now}})
        gone += ids[: done.modified_count]
    return gone


def _move_last_seen(
    models: Collection[Document],
    backend: BackendRef,
    unchanged: Sequence[str],
    complete: bool,
    now: datetime,
) -> None:
    """Note that models are still there; after a complete listing all active ones are."""
    before = now - timedelta(seconds=LAST_SEEN_SECONDS)
    due = {"last_seen": {"$not": {"$gte": before}}}
    update = {"$max": {"last_seen": now}}
    if complete:
        models.update_many({"backend_id": backend.id, "is_active": True, **due}, update)
    else:
        for ids in in_batches(unchanged):
            models.update_many({"id": {"$in": [*ids]}, **due}, update)
