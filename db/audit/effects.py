"""Finished operations whose effects on characters are still pending."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import ValidationError
from pymongo.database import Database

from db.audit.report import MAX_EXAMPLES, AuditFinding, named
from db.connection import Document, translated_errors
from db.errors import OperationRefused
from db.ledger import apply_effects

LEDGER = "facefusion_operations"

_PENDING: Document = {"effects": {"$elemMatch": {"applied_at": None}}}
_REMEDY = (
    "Run audit-db with fix on, or the flow again: either applies them; what is owed to a deleted "
    "character waits until it is restored."
)
_FAILED_REMEDY = (
    "Correct these documents or their characters, whose fields have a type that the app never "
    "writes, then run audit-db again."
)


def pending_effects(database: Database[Document]) -> Iterator[AuditFinding]:
    """Find the ledger's entries with effects that are not yet applied."""
    ledger = database[LEDGER]
    count = ledger.count_documents(_PENDING)
    ids = [
        entry["_id"]
        for entry in ledger.find(_PENDING, {"_id": 1}, sort=[("_id", 1)], limit=MAX_EXAMPLES)
    ]
    if count:
        yield _finding("entries with effects not yet applied", count, ids, _REMEDY)


class PendingEffects:
    """Applies pending effects by the updates that record them, which are safe to repeat."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._entries = 0
        self._effects = 0
        self._failed: list[object] = []
        self._failed_count = 0

    def apply(self, now: datetime) -> None:
        """Apply the pending effects of every entry, the oldest entry first."""
        with translated_errors():
            pending = self._database[LEDGER].find(_PENDING, {"_id": 1}, sort=[("created_at", 1)])
            for entry in pending.allow_disk_use(True):
                self._apply(entry["_id"], now)

    @property
    def done(self) -> str:
        """What was done; empty when nothing was."""
        if not self._effects:
            return ""
        return f"{self._effects} effect(s) of {self._entries} record(s) applied"

    def failed(self) -> Iterator[AuditFinding]:
        """Find the entries whose effects could not be applied, at most one finding."""
        if self._failed_count:
            yield _finding(
                "entries with effects that cannot be applied",
                self._failed_count,
                self._failed,
                _FAILED_REMEDY,
            )

    def _apply(self, key: str, now: datetime) -> None:
        try:
            applied = apply_effects(self._database, key, now)
            self._effects += applied
            self._entries += bool(applied)
        except (ValidationError, OperationRefused):
            self._failed_count += 1
            if len(self._failed) < MAX_EXAMPLES:
                self._failed.append(key)


def _finding(subject: str, count: int, ids: list[object], remedy: str) -> AuditFinding:
    return AuditFinding(
        kind="owed effect",
        collection=LEDGER,
        subject=subject,
        count=count,
        ids=tuple(map(named, ids)),
        severity="critical",
        remedy=remedy,
    )
