"""The history of host checks; MongoDB deletes it after seven days."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import InsertOne
from pymongo.database import Database

from db.catalog.bulk import ALREADY_THERE, Refusals, encoded, write_all
from db.connection import Document, reading_anything, translated_errors

_WITHOUT_ID = {"_id": False}


def record_checks(
    database: Database[Document], rows: Sequence[Mapping[str, Any]], now: datetime
) -> Refusals:
    """Add what was found; recording the same moment again adds nothing.

    Args:
        database: The StoryCanvas database.
        rows: A row a host, with the fields of `db.schema.documents.models`.
        now: UTC; a row's own `checked_at` has priority.

    Returns:
        Why rows could not be stored, as sentences, by their place.
    """
    documents = (encoded(_document(row, now)) for row in rows)
    writes = [row if isinstance(row, str) else InsertOne(row) for row in documents]
    with translated_errors():
        refused = write_all(database["host_checks"], writes)
    return {place: why for place, why in refused.items() if why != ALREADY_THERE}


def last_states(database: Database[Document]) -> dict[str, Document]:
    """Read the last check of every host of the history, by kind and name joined by a slash."""
    of_a_host = {"kind": "$kind", "name": "$name"}
    stages: list[Document] = [
        {"$sort": {"kind": 1, "name": 1, "checked_at": -1}},
        {"$group": {"_id": of_a_host, "last": {"$first": "$$ROOT"}}},
        {"$replaceWith": "$last"},
        {"$unset": "_id"},
        {"$sort": {"kind": 1, "name": 1}},
    ]
    with translated_errors():
        return {
            f"{row.get('kind')}/{row.get('name')}": row
            for row in reading_anything(database)["host_checks"].aggregate(stages)
        }


def checks_since(database: Database[Document], moment: datetime) -> list[Document]:
    """Read the history from a moment in UTC on, the oldest check first."""
    wanted = {"checked_at": {"$gte": moment}}
    with translated_errors():
        checks = reading_anything(database)["host_checks"]
        return [*checks.find(wanted, _WITHOUT_ID).sort("checked_at")]


def _document(row: Mapping[str, Any], now: datetime) -> Document:
    checked_at = row.get("checked_at") or now
    key = f"{row.get('kind')}/{row.get('name')}/{checked_at.isoformat()}"
    return {**row, "_id": key, "checked_at": checked_at}
