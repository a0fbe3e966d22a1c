"""Writes the outcome of matching."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import InsertOne
from pymongo.database import Database

from db.catalog.bulk import ALREADY_THERE, shown, write_all
from db.catalog.matches.links import MatchRow
from db.catalog.matches.plan import (
    PlannedWrite,
    StoredMatch,
    planned_links,
    planned_statuses,
    stored_matches,
)
from db.connection import Document, translated_errors


@dataclass(frozen=True, slots=True)
class MatchCounts:
    """The outcome of a batch of matches.

    Attributes:
        synced: Models with a link that is stored.
        pending: Models without one.
        failed: Models of which something could not be written.
        confirmed: Ids of models whose link a person made or confirmed, among `synced`.
        written: Models of which anything was written.
        promoted: Rows that were added to `database_models`.
        refused: Id of each model that could not be written, and why, as a sentence.
    """

    synced: int = 0
    pending: int = 0
    failed: int = 0
    confirmed: frozenset[str] = frozenset()
    written: int = 0
    promoted: int = 0
    refused: tuple[tuple[str, str], ...] = ()


def write_matches(
    database: Database[Document], results: Sequence[MatchRow], now: datetime
) -> MatchCounts:
    """Write the matches of a few thousand local models, each of which stands once in `results`.

    Their active documents on all servers get the link; a model that is known (`exact_hash` or
    `high_confidence`) gets a row in `database_models`; `model_sync_status` gets the outcome with
    the candidates, last of all, so that the link is written before it. Unchanged documents are not
    written, not even `last_sync_attempt`.
    """
    with translated_errors():
        stored = stored_matches(database, results)
        plans = planned_links(results, stored, now)
        refused = [row for name, plan in plans.items() for row in _apply(database, name, plan)]
        statuses = planned_statuses(results, stored, dict(refused), now)
        refused += _apply(database, "model_sync_status", statuses)
    return _counts(results, stored, {**plans, "model_sync_status": statuses}, refused)


def _apply(
    database: Database[Document], name: str, plan: Sequence[PlannedWrite]
) -> Iterator[tuple[str, str]]:
    """Write, and yield what was refused; what another run has written meanwhile was not."""
    reasons = write_all(database[name], [write for _, write in plan])
    for place, reason in reasons.items():
        if reason != ALREADY_THERE:
            yield plan[place][0], reason


def _counts(
    results: Sequence[MatchRow],
    stored: Mapping[str, StoredMatch],
    plans: Mapping[str, Sequence[PlannedWrite]],
    refused: Sequence[tuple[str, str]],
) -> MatchCounts:
    confirmed = frozenset(id_ for id_, match in stored.items() if match.confirmed is not None)
    bad = {id_ for id_, _ in refused}
    written = [row for row in results if row.model_id not in bad]
    synced = [row for row in written if row.link is not None or row.model_id in confirmed]
    return MatchCounts(
        synced=len(synced),
        pending=len(written) - len(synced),
        failed=len(results) - len(written),
        confirmed=confirmed,
        written=len({id_ for plan in plans.values() for id_, _ in plan} - bad),
        promoted=sum(
            isinstance(write, InsertOne) and id_ not in bad
            for id_, write in plans["database_models"]
        ),
        refused=tuple((shown(id_), reason) for id_, reason in refused),
    )
