"""Plans the writes of matches, each of a single document.

Unchanged results cost no write. A link that a person made or confirmed stays: it is read
before, and the filter of every update excludes it again.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pymongo import InsertOne, UpdateOne
from pymongo.database import Database

from db.catalog.bulk import Write, encoded
from db.catalog.matches.links import KNOWN, NOT_CONFIRMED, MatchRow, is_confirmed, link_fields
from db.catalog.matches.promote import new_row, number_of_row, row_changes, row_of
from db.connection import Document, reading_anything


@dataclass(frozen=True, slots=True)
class StoredMatch:
    """The stored documents of one model.

    Attributes:
        active: Its active documents on all servers.
        status: Its document of `model_sync_status`; empty without one.
        row: Its document of `database_models`; None without one.
        gone: Its documents on servers that no longer have it; a choice there still counts.
    """

    active: Sequence[Mapping[str, Any]]
    status: Mapping[str, Any]
    row: Mapping[str, Any] | None
    gone: Sequence[Mapping[str, Any]] = ()

    @property
    def confirmed(self) -> str | None:
        """The number that a person chose, empty if they chose none; None without a choice."""
        rows = [self.row] if self.row is not None else []
        for number_of, documents in (
            (_number_of_model, self.active),
            (number_of_row, rows),
            (_number_of_model, self.gone),
        ):
            chosen = next(filter(is_confirmed, documents), None)
            if chosen is not None:
                return str(number_of(chosen) or "")
        return None


def _number_of_model(stored: Mapping[str, Any]) -> object:
    return stored.get("civitai_model_id")


def stored_matches(
    database: Database[Document], results: Sequence[MatchRow]
) -> dict[str, StoredMatch]:
    """Read the stored documents of a batch of models, by model id."""
    wanted = {"$in": [row.model_id for row in results]}
    data = reading_anything(database)
    on_servers: dict[tuple[str, bool], list[Document]] = defaultdict(list)
    shown = ("model_id", "is_active", "civitai_match_confirmed", *link_fields(None))
    found = data["active_backend_models"].find({"model_id": wanted}, dict.fromkeys(shown, True))
    for entry in found.sort("id"):
        on_servers[entry["model_id"], entry.get("is_active") is True].append(entry)
    statuses = {
        entry["model_id"]: entry for entry in data["model_sync_status"].find({"model_id": wanted})
    }
    rows = _rows_of(data, results)
    return {
        row.model_id: StoredMatch(
            on_servers[row.model_id, True],
            statuses.get(row.model_id, {}),
            rows.get(row.model_id),
            on_servers[row.model_id, False],
        )
        for row in results
    }


def _rows_of(data: Database[Document], results: Sequence[MatchRow]) -> dict[str, Mapping[str, Any]]:
    """Find each model's row of `database_models`; no two models share a row."""
    ids = {"$in": [row.model_id for row in results]}
    files = {"$in": [row.file_name for row in results]}
    names = {"$in": [name for row in results for name in row.names]}
    of_the_app = {"name": names, "filename": None}
    wanted = {"$or": [{"id": ids}, {"catalog_model_id": ids}, {"filename": files}, of_the_app]}
    by_name: dict[object, list[Document]] = defaultdict(list)
    by_id: dict[object, list[Document]] = defaultdict(list)
    for entry in data["database_models"].find(wanted):
        by_name[entry.get("filename") or entry.get("name")].append(entry)
        for id_ in (entry.get("id"), entry.get("catalog_model_id")):
            by_id[id_].append(entry)
    rows: dict[str, Mapping[str, Any]] = {}
    taken = set()
    for row in sorted(results, key=lambda entry: entry.model_id):
        named = [entry for name in {row.file_name, *row.names} for entry in by_name[name]]
        free = [entry for entry in named if str(entry["_id"]) not in taken]
        if (found := row_of(row, [*by_id[row.model_id], *free])) is not None:
            rows[row.model_id] = found
            taken.add(str(found["_id"]))
    return rows


PlannedWrite = tuple[str, Write | str]
"""A model's id, and a write or why it cannot be made, as a sentence."""

_Rows = Sequence[Mapping[str, Any]]


def planned_links(
    results: Sequence[MatchRow], stored: Mapping[str, StoredMatch], now: datetime
) -> dict[str, list[PlannedWrite]]:
    """Plan the writes of links that differ from the stored ones.

    Returns:
        Writes by collection, in the order in which they are to be made.
    """
    active: list[PlannedWrite] = []
    rows: list[PlannedWrite] = []
    for row in results:
        found = stored[row.model_id]
        if found.confirmed is not None:
            active += _unlink(row, found, found.confirmed)
            rows += _reset_row(row, found, found.confirmed, now)
        else:
            active += _link(row, found)
            rows += _promote(row, found, now)
    return {"active_backend_models": active, "database_models": rows}


def planned_statuses(
    results: Sequence[MatchRow],
    stored: Mapping[str, StoredMatch],
    refused: Mapping[str, str],
    now: datetime,
) -> list[PlannedWrite]:
    """Plan the writes of outcomes that differ from the last ones.

    Args:
        results: The outcome of each model.
        stored: Its stored documents, by model id.
        refused: Why its links could not be written, by model id.
        now: UTC.
    """
    return [
        write
        for row in results
        for write in _note(row, stored[row.model_id], refused.get(row.model_id), now)
    ]


def _unlink(row: MatchRow, stored: StoredMatch, chosen: str) -> Iterator[PlannedWrite]:
    """Remove earlier links on other servers, except with what a person chose."""
    for entry in stored.active:
        if entry.get("civitai_model_id") not in (None, chosen) and not is_confirmed(entry):
            which = {"_id": entry["_id"], **NOT_CONFIRMED}
            yield row.model_id, _set(which, link_fields(None))


def _reset_row(
    row: MatchRow, stored: StoredMatch, chosen: str, now: datetime
) -> Iterator[PlannedWrite]:
    """Remove what an earlier link wrote, unless it is what a person chose."""
    known = stored.row
    if known is None or is_confirmed(known):
        return
    if str(known.get("civitai_id") or "") != chosen:
        yield from _promote(replace(row, link=None), stored, now)


def _link(row: MatchRow, stored: StoredMatch) -> Iterator[PlannedWrite]:
    wanted = link_fields(row.link)
    for entry in stored.active:
        fields = {name: value for name, value in wanted.items() if entry.get(name) != value}
        if fields:
            yield row.model_id, _set({"_id": entry["_id"], **NOT_CONFIRMED}, fields)


def _promote(row: MatchRow, stored: StoredMatch, now: datetime) -> Iterator[PlannedWrite]:
    times = {"last_synced_at": now, "updated_at": now}
    if stored.row is None:
        if row.link is not None and row.link.quality in KNOWN:
            row_document = encoded({**new_row(row, row.link), "created_at": now, **times})
            insert = row_document if isinstance(row_document, str) else InsertOne(row_document)
            yield row.model_id, insert
    elif stored.row.get("deleted_at") is None and (fields := row_changes(row, stored.row)):
        yield row.model_id, _set({"_id": stored.row["_id"], **NOT_CONFIRMED}, fields | times)


def _note(
    row: MatchRow, stored: StoredMatch, refused: str | None, now: datetime
) -> Iterator[PlannedWrite]:
    """Write the outcome, if it differs from the last one."""
    if refused is not None:
        wanted: Document = {"sync_status": "failed", "sync_error": refused}
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
        "candidates": [dict(candidate) for candidate in candidates],
    }


def _set(which: Document, fields: Document, made: Document | None = None) -> Write | str:
    whole = encoded(fields)
    if isinstance(whole, str):
        return whole
    update = {"$set": whole} | ({"$setOnInsert": made} if made else {})
    return UpdateOne(which, update, upsert=made is not None)
