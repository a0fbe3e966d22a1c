"""Writing down what matching found out.

Unchanged results cost no write. What a person made or confirmed stays: it is looked at before, and
asked for again by the filter of every update.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pymongo
from pymongo import InsertOne, UpdateOne
from pymongo.database import Database

from db.catalog.confirmed import NOT_CONFIRMED
from db.catalog.match_reading import StoredMatch, stored_matches
from db.catalog.match_row import KNOWN, MatchRow, link_fields
from db.catalog.promotion import new_row, row_changes
from db.catalog.writing import ALREADY_THERE, Write, encoded, shown, write_all
from db.connection import Document, translated_errors

PATIENCE_SECONDS = 300.0
"""For one batch, in place of the connection's 10 s."""

_Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class MatchCounts:
    """What became of a batch of matches.

    Attributes:
        synced: Models with a link.
        pending: Models without one.
        failed: Models that could not be looked for.
        confirmed: Models whose link a person made or confirmed, among `synced`.
        written: Models of which anything was written.
        promoted: Rows that were added to `database_models`.
        refused: Id of each model that could not be written, and why, as a sentence.
    """

    synced: int = 0
    pending: int = 0
    failed: int = 0
    confirmed: int = 0
    written: int = 0
    promoted: int = 0
    refused: tuple[tuple[str, str], ...] = ()


def write_matches(
    database: Database[Document], results: Sequence[MatchRow], now: datetime
) -> MatchCounts:
    """Write down what a batch of local models was matched with.

    Their active documents on all servers get the link; `model_sync_status` gets the outcome with
    the candidates; a model that is known (`exact_hash` or `high_confidence`) gets a row in
    `database_models`. What is unchanged is not written, `last_sync_attempt` neither.

    Args:
        database: The StoryCanvas database.
        results: At most a few thousand, each model once.
        now: UTC.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    with translated_errors(), pymongo.timeout(PATIENCE_SECONDS):
        stored = stored_matches(database, results)
        plans: dict[str, list[tuple[str, Write | str]]] = defaultdict(list)
        for row in results:
            found = stored[row.model_id]
            if found.confirmed is None and row.error is None:
                plans["active_backend_models"] += _link(row, found)
                plans["database_models"] += _promote(row, found, now)
            plans["model_sync_status"] += _note(row, found, now)
        # The status comes last: what it tells of is written then.
        refused = [one for name, plan in plans.items() for one in _carry_out(database, name, plan)]
    return _counts(results, stored, plans, refused)


def _link(row: MatchRow, stored: StoredMatch) -> Iterator[tuple[str, Write | str]]:
    wanted = link_fields(row.link)
    for one in stored.active:
        fields = {name: value for name, value in wanted.items() if one.get(name) != value}
        if fields:
            yield row.model_id, _set({"_id": one["_id"], **NOT_CONFIRMED}, fields)


def _promote(
    row: MatchRow, stored: StoredMatch, now: datetime
) -> Iterator[tuple[str, Write | str]]:
    times = {"last_synced_at": now, "updated_at": now}
    if stored.row is None:
        if row.link is not None and row.link.quality in KNOWN:
            made = encoded({**new_row(row, row.link), "created_at": now, **times})
            yield row.model_id, made if isinstance(made, str) else InsertOne(made)
    elif stored.row.get("deleted_at") is None and (fields := row_changes(row, stored.row)):
        yield row.model_id, _set({"_id": stored.row["_id"], **NOT_CONFIRMED}, fields | times)


def _note(row: MatchRow, stored: StoredMatch, now: datetime) -> Iterator[tuple[str, Write | str]]:
    """Write the outcome, if it is another one than last time."""
    if row.error is not None:
        wanted: Document = {"sync_status": "failed", "sync_error": row.error}
    elif stored.confirmed is not None:
        wanted = _outcome("synced", stored.confirmed or None, None, ())
    elif row.link is not None:
        wanted = _outcome("synced", str(row.link.civitai_id), None, row.candidates)
    else:
        wanted = _outcome("pending", None, row.reason, row.candidates)
    if all(name in stored.status and stored.status[name] == wanted[name] for name in wanted):
        return
    wanted["last_sync_attempt"] = now
    if wanted["sync_status"] == "synced":
        wanted["last_sync_success"] = now
    yield row.model_id, _set({"model_id": row.model_id}, wanted, made={"_id": row.model_id})


def _outcome(status: str, civitai_id: str | None, error: str | None, candidates: _Rows) -> Document:
    return {
        "sync_status": status,
        "civitai_model_id": civitai_id,
        "sync_error": error,
        "candidates": [dict(one) for one in candidates],
    }


def _set(which: Document, fields: Document, made: Document | None = None) -> Write | str:
    whole = encoded(fields)
    if isinstance(whole, str):
        return whole
    update = {"$set": whole} | ({"$setOnInsert": made} if made else {})
    return UpdateOne(which, update, upsert=made is not None)


def _carry_out(
    database: Database[Document], name: str, plan: Sequence[tuple[str, Write | str]]
) -> Iterator[tuple[str, str]]:
    """Write, and tell what was refused; what another run has written meanwhile was not."""
    yield from ((shown(id_), write) for id_, write in plan if isinstance(write, str))
    possible = [(id_, write) for id_, write in plan if not isinstance(write, str)]
    reasons = write_all(database[name], [write for _, write in possible])
    for number, reason in reasons.items():
        if reason != ALREADY_THERE:
            yield shown(possible[number][0]), reason


def _counts(
    results: Sequence[MatchRow],
    stored: Mapping[str, StoredMatch],
    plans: Mapping[str, Sequence[tuple[str, Write | str]]],
    refused: Sequence[tuple[str, str]],
) -> MatchCounts:
    confirmed = {id_ for id_, one in stored.items() if one.confirmed is not None}
    looked = [row for row in results if row.error is None]
    synced = [row for row in looked if row.link is not None or row.model_id in confirmed]
    bad = {id_ for id_, _ in refused}
    return MatchCounts(
        synced=len(synced),
        pending=len(looked) - len(synced),
        failed=len(results) - len(looked),
        confirmed=len(confirmed),
        written=len({id_ for plan in plans.values() for id_, _ in plan} - bad),
        promoted=sum(isinstance(write, InsertOne) for _, write in plans["database_models"]),
        refused=tuple(refused),
    )
