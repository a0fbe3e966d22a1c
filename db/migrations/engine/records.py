"""Queries of `migrations`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from pymongo.database import Database

from db.connection import Document, settled, translated_errors
from db.errors import BrokenMigrationRecord
from db.schema.documents.system import MigrationRecord, MigrationStatus


class MigrationRecordRepository:
    """Reads and writes what is known about migrations."""

    def __init__(self, database: Database[Document]) -> None:
        self._records = settled(database)["migrations"]

    def by_number(self) -> dict[int, MigrationRecord]:
        """Read all records; documents whose `_id` is not a number are not records."""
        with translated_errors():
            found = list(self._records.find({"_id": {"$type": "number"}}))
        records = [_read(document) for document in found]
        return {record.number: record for record in records}

    def begin(self, number: int, status: MigrationStatus, details: Document) -> MigrationRecord:
        """Record that an attempt begins; what was remembered before stays."""
        begun = {**details, "status": status, "started_at": datetime.now(UTC)}
        ended = {"finished_at": None, "seconds": None, "error": None}
        with translated_errors():
            self._records.update_one({"_id": number}, {"$set": begun | ended}, upsert=True)
        return self.by_number()[number]

    def remember(self, number: int, name: str, value: Any) -> None:  # noqa: ANN401 - any BSON
        """Store what a migration needs to be undone, unless something of this name is there."""
        path = f"remembered.{name}"
        with translated_errors():
            self._records.update_one(
                {"_id": number, path: {"$exists": False}}, {"$set": {path: value}}
            )

    def accept(self, numbers: Sequence[int]) -> None:
        """Record that migrations cannot be undone from now on."""
        change = {"$set": {"accepted_at": datetime.now(UTC)}}
        with translated_errors():
            self._records.update_many({"_id": {"$in": [*numbers]}, "accepted_at": None}, change)

    def end(self, begun: MigrationRecord, status: MigrationStatus, result: Document) -> None:
        """Record how an attempt ended, unless another attempt has begun since."""
        change: Document = {"$set": {"finished_at": datetime.now(UTC), **result, "status": status}}
        if status == "reverted":
            change["$unset"] = {"remembered": True}
        attempt = {"_id": begun.number, "run_by": begun.run_by, "started_at": begun.started_at}
        with translated_errors():
            self._records.update_one(attempt, change)


def _read(document: Document) -> MigrationRecord:
    try:
        return MigrationRecord.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise BrokenMigrationRecord(
            f"The record {document['_id']!r} of migrations cannot be read, {problem}; correct it, "
            "or remove it if no migration has written it."
        ) from error
