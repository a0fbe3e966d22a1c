"""Bringing the stored models of a backend to what its server lists.

Killed at any moment and run again, it ends as if it had not been: every write is one document's,
and what is left to do is found by looking.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd
import pymongo
from pymongo.database import Database

from db.catalog.adoption import adoptions
from db.catalog.backend_ref import BackendRef
from db.catalog.comparing import Comparison, compare
from db.catalog.model_writing import (
    LAST_SEEN_SECONDS,
    Done,
    carry_out,
    deactivate,
    move_last_seen,
    rewrites,
)
from db.catalog.new_models import store_new
from db.catalog.stored_models import stored_documents, stored_frame
from db.connection import Document, translated_errors

__all__ = ["LAST_SEEN_SECONDS", "LISTED", "PATIENCE_SECONDS", "ModelChanges", "sync_models"]

LISTED = 50
"""Most ids of each kind in the result."""
PATIENCE_SECONDS = 600.0
"""For one backend; the connection's own 10 s would not do for a million models."""


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
    folders: Collection[str] | None = None,
) -> ModelChanges:
    """Bring what is stored about a backend's models to what its server lists.

    `first_seen` stays, and so does whatever others keep in a document, its links with Civitai
    among them. What a listing does not tell this time stays as long as size and time of change
    do not contradict. A model of the app's older id scheme is taken over with all that it holds
    where one listed file only can be meant; any other counts as not listed.

    Args:
        database: The StoryCanvas database.
        backend: Whose models.
        listed: Columns as of `db.catalog.listed.ListedModel`, of type object.
        complete: Whether the listing lacks nothing; only then what is not listed becomes inactive.
        now: When the server was asked, UTC.
        folders: The only ones that the listing can tell of; models in others stay as they are.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    with translated_errors(), pymongo.timeout(PATIENCE_SECONDS):
        found = compare(backend.id, listed, stored_frame(database, backend))
        adopted = _adoptions(database, backend, found)
        done = Done()
        _write(database, backend, found, adopted, now, done)
        models = database["active_backend_models"]
        if complete:
            missing = [id_ for id_ in found.missing if id_ not in adopted]
            missing = missing if folders is None else _below(backend, folders, missing)
            deactivate(models, missing, now, done)
        all_seen = complete and folders is None
        move_last_seen(models, backend, found.unchanged, now, complete=all_seen)
    rewritten = sum(len(done.ids.get(kind, ())) for kind in ("back", "changed"))
    return ModelChanges(
        **{kind: len(ids) for kind, ids in done.ids.items()},
        unchanged=len(found.unchanged) + len(found.doubtful) - rewritten,
        first_ids={kind: tuple(ids[:LISTED]) for kind, ids in done.ids.items()},
        refused=tuple(done.refused),
    )


def _below(backend: BackendRef, folders: Collection[str], ids: Iterable[str]) -> list[str]:
    """Choose the ids of models in some folders; one of the app's own scheme tells no folder."""
    begins = tuple(f"{backend.id}/{folder}/" for folder in folders)
    return [id_ for id_ in ids if id_.startswith(begins)]


def _adoptions(
    database: Database[Document], backend: BackendRef, found: Comparison
) -> dict[str, str]:
    """Find the new ids of models that the app stored under its own."""
    gone = {id_ for id_ in found.unlisted if id_.startswith(f"{backend.id}/")}
    old = [id_ for id_ in found.unlisted if id_ not in gone]
    if not old or not found.new:
        return {}
    known = (*found.doubtful, *found.unchanged, *gone)
    return adoptions(backend.id, found.new, known, stored_documents(database, old).values())


def _write(
    database: Database[Document],
    backend: BackendRef,
    found: Comparison,
    adopted: Mapping[str, str],
    now: datetime,
    done: Done,
) -> None:
    """Write what is stored and differs first, so that no model of the app's is stored twice."""
    models = database["active_backend_models"]
    again = [(id_, id_, one) for id_, one in found.doubtful.items()]
    again += [(old_id, new_id, found.new[new_id]) for old_id, new_id in adopted.items()]
    carry_out(models, rewrites(database, backend, again, now), done)
    taken = {*adopted.values()}
    new = {id_: one for id_, one in found.new.items() if id_ not in taken}
    store_new(database, backend, new, now, done)
