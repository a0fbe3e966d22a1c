"""The history of host checks; the server itself forgets it after seven days."""

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
        rows: One for each host, with the fields of `db.schema.documents.models`.
        now: When it was found, UTC; what a row says itself is stronger.

    Returns:
        Why rows could not be stored, as sentences, by their place.
    """
    documents = [encoded(_document(row, now)) for row in rows]
    refused: Refusals = {n: said for n, said in enumerate(documents) if isinstance(said, str)}
    possible = [number for number in range(len(rows)) if number not in refused]
    with translated_errors():
        reasons = write_all(database["host_checks"], [InsertOne(documents[n]) for n in possible])
    others = {possible[place]: reason for place, reason in reasons.items()}
    return refused | {n: reason for n, reason in others.items() if reason != ALREADY_THERE}


def last_states(database: Database[Document]) -> dict[str, Document]:
    """Read the last check of every host of the history.

    Returns:
        Checks by kind and name, joined by a slash.
    """
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
    """Read the history from a moment on, the oldest check first.

    Args:
        database: The StoryCanvas database.
        moment: UTC.
    """
    wanted = {"checked_at": {"$gte": moment}}
    with translated_errors():
        checks = reading_anything(database)["host_checks"]
        return [*checks.find(wanted, _WITHOUT_ID).sort("checked_at")]


def _document(row: Mapping[str, Any], now: datetime) -> Document:
    checked_at = row.get("checked_at") or now
    key = f"{row.get('kind')}/{row.get('name')}/{checked_at.isoformat()}"
    return {**row, "_id": key, "checked_at": checked_at}
