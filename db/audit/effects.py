"""Finished operations whose effects on characters are still pending."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import ValidationError
from pymongo.database import Database

from db.audit.report import MAX_EXAMPLES, AuditFinding, named
from db.connection import Document, translated_errors
from db.errors import BrokenCharacter, CharacterTooLarge, OperationRefused, UnreadableDocument
from db.ledger import apply_effects

LEDGER = "facefusion_operations"

_PENDING: Document = {"effects": {"$elemMatch": {"applied_at": None}}}
_REMEDY = (
    "Run audit-db with fix on, or the flow again: either applies them; what is owed to a deleted "
    "character waits until it is restored."
)


class _Failed:
    """Entries whose effects could not be applied for one reason; memory does not grow with them."""

    def __init__(self, subject: str, remedy: str) -> None:
        self._subject = subject
        self._remedy = remedy
        self._count = 0
        self._keys: list[object] = []

    def add(self, key: str) -> None:
        """Count an entry."""
        self._count += 1
        if len(self._keys) < MAX_EXAMPLES:
            self._keys.append(key)

    def finding(self) -> Iterator[AuditFinding]:
        """Report them, at most one finding."""
        if self._count:
            yield _finding(self._subject, self._count, self._keys, self._remedy)


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
        self._broken = _Failed(
            "entries with effects that cannot be applied",
            "Correct these documents or their characters, whose fields have a type that the app "
            "never writes or stand twice, then run audit-db again.",
        )
        self._without_room = _Failed(
            "entries whose characters have no room for their effects",
            "Remove what is not needed from these characters, since MongoDB stores at most 16 MB "
            "in a document, then run audit-db with fix on again; nothing is lost until then.",
        )

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
        """Find the entries whose effects could not be applied, one finding for each reason."""
        yield from self._broken.finding()
        yield from self._without_room.finding()

    def _apply(self, key: str, now: datetime) -> None:
        try:
            applied = apply_effects(self._database, key, now)
            self._effects += applied
            self._entries += bool(applied)
        except CharacterTooLarge:
            self._without_room.add(key)
        except (ValidationError, BrokenCharacter, OperationRefused, UnreadableDocument):
            self._broken.add(key)


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
