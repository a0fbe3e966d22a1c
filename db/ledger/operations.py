"""Queries of the ledger, `facefusion_operations`."""

from datetime import datetime

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.connection import Document, translated_errors
from db.schema.documents.faces import Effect, OperationRecord


class OperationLedger:
    """One document for each operation ever done, found by its operation key."""

    def __init__(self, database: Database[Document]) -> None:
        self._operations = database["facefusion_operations"]

    def find(self, operation_key: str) -> OperationRecord | None:
        """Read the record of an operation, or None if it was never done."""
        with translated_errors():
            document = self._operations.find_one({"_id": operation_key})
        return None if document is None else OperationRecord.model_validate(document)

    def complete(self, record: OperationRecord) -> None:
        """Store a finished operation together with its pending effects.

        A record that is there already stays as it is, but for a forced repetition: that one takes
        the place of the output, and the old output moves to `earlier_outputs`. Effects that are not
        in the record are added in either case. Any of it may be repeated.
        """
        document = record.model_dump(by_alias=True)
        with translated_errors():
            try:
                self._operations.insert_one(document)
            except DuplicateKeyError:
                if record.repeat is not None:
                    self._replace_output(record)
                self.add_effects(record.operation_key, record.effects)

    def add_effects(self, operation_key: str, effects: list[Effect]) -> None:
        """Add effects to a record unless they are there."""
        with translated_errors():
            for effect in effects:
                self._operations.update_one(
                    {"_id": operation_key, "effects.id": {"$ne": effect.id}},
                    {"$push": {"effects": effect.model_dump()}},
                )

    def mark_applied(self, operation_key: str, effect_id: str, now: datetime) -> None:
        """Mark an effect as applied."""
        with translated_errors():
            self._operations.update_one(
                {"_id": operation_key, "effects.id": effect_id},
                {"$set": {"effects.$.applied_at": now}},
            )

    def _replace_output(self, record: OperationRecord) -> None:
        document = record.model_dump()
        changed = ("output", "faces", "estimated_age", "processing_time_seconds", "created_at")
        replaced = {"$cond": [{"$eq": ["$output", None]}, [], ["$output"]]}
        earlier = {"$concatArrays": ["$earlier_outputs", replaced]}
        self._operations.update_one(
            {"_id": record.operation_key, "repeat": {"$ne": record.repeat}},
            [
                {
                    "$set": {
                        **{name: {"$literal": document[name]} for name in changed},
                        "repeat": record.repeat,
                        "host": record.host,
                        "earlier_outputs": earlier,
                    }
                }
            ],
        )
