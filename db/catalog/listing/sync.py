"""Brings the stored models of a backend to what its server lists.

Killed at any moment and run again, it ends as if it had not been: every write changes a single
document, and the comparison finds what is left to do.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import pandas as pd
from pymongo.database import Database

from db.catalog.listing.compare import Comparison, compare
from db.catalog.listing.stored import stored_documents, stored_frame
from db.catalog.listing.write import (
    LAST_SEEN_SECONDS,
    Done,
    apply_writes,
    deactivate,
    move_last_seen,
    rewrites,
    store_new,
)
from db.catalog.server_rows import BackendRef
from db.connection import Document, translated_errors


def match_legacy_ids(
    backend_id: str,
    new: Collection[str],
    known: Iterable[str],
    old: Iterable[Mapping[str, Any]],
) -> dict[str, str]:
    """Find the new ids of models that the app stored under its own.

    Args:
        backend_id: Whose models.
        new: Ids of listed models that are not stored under them.
        known: Ids of models that are; if one of these may be meant as well, nothing is certain.
        old: Documents of the app's scheme.

    Returns:
        New ids by stored ids, no new one twice.
    """
    files = _files_by_name(backend_id, chain(new, known))
    renamed: dict[str, str] = {}
    for row in old:
        found = _lookup(files, row.get("model_path") or row.get("model_name"))
        if len(found) == 1:
            [renamed[row["id"]]] = found
    claims = Counter(renamed.values())
    return {
        old_id: new_id
        for old_id, new_id in renamed.items()
        if claims[new_id] == 1 and new_id in new
    }


def _files_by_name(backend_id: str, ids: Iterable[str]) -> dict[str, set[str]]:
    files: dict[str, set[str]] = {}
    for id_ in ids:
        place = id_.removeprefix(f"{backend_id}/")
        path = place.partition("/")[2]
        for name in {place, f"/{place}", path, path.rpartition("/")[2]}:
            files.setdefault(name.casefold(), set()).add(id_)
    return files


def _lookup(files: Mapping[str, set[str]], name: object) -> set[str]:
    """Look for a path, then for its ends after each slash; another directory is another file."""
    if not isinstance(name, str):
        return set()
    path = name.replace("\\", "/").casefold()
    ends = (path[at:] for at, letter in enumerate(path) if letter == "/")
    return next((files[row] for row in (path, *ends) if row in files), set())


MAX_EXAMPLES = 50
"""Most ids of each kind in the result."""


@dataclass(frozen=True, slots=True)
class ModelChanges:
    """The changes to a backend's models; the first five are counts without overlap.

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
    """Bring the stored models of a backend to what its server lists.

    `first_seen` stays, and so do fields of others, such as links with Civitai. Facts that the
    listing does not have stay as long as size and time of change do not contradict them. A model of
    the app's older id scheme is adopted with all its fields if only one listed file can be meant;
    any other counts as not listed.

    Args:
        database: The StoryCanvas database.
        backend: Whose models.
        listed: Columns as of `db.catalog.listing.compare.ListedModel`, of type object.
        complete: Whether the listing lacks nothing.
        now: When the server was asked, UTC.
        folders: The only folders that are listed whole; unlisted models there become inactive,
            those in others stay as they are. None means all of a complete listing, else none.
    """
    with translated_errors():
        found = compare(backend.id, listed, stored_frame(database, backend))
        adopted = _adoptions(database, backend, found)
        done = Done()
        _write(database, backend, found, adopted, now, done)
        models = database["active_backend_models"]
        if complete or folders is not None:
            missing = [id_ for id_ in found.missing if id_ not in adopted]
            missing = missing if folders is None else _below(backend, folders, missing)
            deactivate(models, missing, now, done)
        all_seen = complete and folders is None
        move_last_seen(models, backend, found.unchanged, now, complete=all_seen)
    rewritten = sum(len(done.ids.get(kind, ())) for kind in ("back", "changed"))
    return ModelChanges(
        **{kind: len(ids) for kind, ids in done.ids.items()},
        unchanged=len(found.unchanged) + len(found.doubtful) - rewritten,
        first_ids={kind: tuple(ids[:MAX_EXAMPLES]) for kind, ids in done.ids.items()},
        refused=tuple(done.refused),
    )


def _below(backend: BackendRef, folders: Collection[str], ids: Iterable[str]) -> list[str]:
    """Choose the ids of models in some folders; ids of the app's own scheme have no folder."""
    begins = tuple(f"{backend.id}/{folder}/" for folder in folders)
    return [id_ for id_ in ids if id_.startswith(begins)]


def _adoptions(
    database: Database[Document], backend: BackendRef, found: Comparison
) -> dict[str, str]:
    """Find the new ids of models that the app stored under ids of its own."""
    gone = {id_ for id_ in found.unlisted if id_.startswith(f"{backend.id}/")}
    old = [id_ for id_ in found.unlisted if id_ not in gone]
    if not old or not found.new:
        return {}
    known = (*found.doubtful, *found.unchanged, *gone)
    return match_legacy_ids(backend.id, found.new, known, stored_documents(database, old).values())


def _write(
    database: Database[Document],
    backend: BackendRef,
    found: Comparison,
    adopted: Mapping[str, str],
    now: datetime,
    done: Done,
) -> None:
    """Rewrite stored models before new ones, so that no model of the app is stored twice."""
    models = database["active_backend_models"]
    again = [(id_, id_, row) for id_, row in found.doubtful.items()]
    again += [(old_id, new_id, found.new[new_id]) for old_id, new_id in adopted.items()]
    apply_writes(models, rewrites(database, backend, again, now), done)
    taken = {*adopted.values()}
    new = {id_: row for id_, row in found.new.items() if id_ not in taken}
    store_new(database, backend, new, now, done)


def was_just_compared(
    database: Database[Document], backend_id: str, digest: str, now: datetime
) -> bool:
    """Whether the listing with this digest was compared within the last ten minutes.

    Nothing is due in that time: `last_seen` does not move more often. Models that were deleted by
    hand since then are noticed by their number.
    """
    wanted = {
        "id": backend_id,
        "listing_digest": digest,
        "compared_at": {"$gt": now - timedelta(seconds=LAST_SEEN_SECONDS), "$lte": now},
    }
    with translated_errors():
        backend = database["backends"].find_one(wanted, {"compared_models": True})
        return backend is not None and backend.get("compared_models") == _stored(
            database, backend_id
        )


def note_comparison(
    database: Database[Document], backend_id: str, digest: str | None, now: datetime
) -> None:
    """Record the digest of the listing that a backend's models agree with, after they were written.

    The digest is None if not all of the listing was stored.
    """
    with translated_errors():
        count = _stored(database, backend_id)
        fields = {"listing_digest": digest, "compared_at": now, "compared_models": count}
        database["backends"].update_one({"id": backend_id}, {"$set": fields})


def _stored(database: Database[Document], backend_id: str) -> int:
    return database["active_backend_models"].count_documents({"backend_id": backend_id})
