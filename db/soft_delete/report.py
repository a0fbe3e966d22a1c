"""What `purge-deleted` found and did."""

from collections.abc import Iterator
from datetime import datetime

from db.schema.documents.base import Frozen

MAX_EXAMPLES = 100
"""Most of the kept documents that a report lists; it counts all of them."""


class PurgeCount(Frozen):
    """Numbers of documents of one collection.

    Attributes:
        due: Deleted long enough ago, and nothing that they own stays: counted before a removal.
        removed: Removed for good; 0 in a dry run.
        kept: Deleted long enough ago, but something that they own stays.
        not_deleted: Not deleted, although what they belong to was deleted long enough ago.
        later: Deleted, but not that long ago.
        unreadable: Their `deleted_at` is not a date; they are left alone.
    """

    collection: str
    due: int = 0
    removed: int = 0
    kept: int = 0
    not_deleted: int = 0
    later: int = 0
    unreadable: int = 0

    def line(self, *, dry_run: bool, counted: bool) -> str:
        """Write the numbers in one line."""
        gone = f"{self.due} {_to_be(dry_run=dry_run)}" if counted else f"{self.removed} removed"
        numbers = {
            "kept because of what they own": self.kept,
            "not deleted below a deleted one": self.not_deleted,
            "deleted later": self.later,
            "with a deleted_at that cannot be read": self.unreadable,
        }
        others = [f"{number} {words}" for words, number in numbers.items() if number]
        return f"{self.collection}: {', '.join([gone, *others])}."


class KeptDocument(Frozen):
    """A document that was deleted long enough ago and is kept.

    Attributes:
        reason: What it owns and why that stays.
    """

    collection: str
    document_id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.document_id!r} of {self.collection}: {self.reason}"


class PurgeReport(Frozen):
    """What was due to be removed from each soft-deletable collection, and what was.

    Attributes:
        deleted_before: UTC; what was deleted before this time is due.
        removal_done: Whether the removal is over; false for the count that comes first.
        counts: Numbers by collection, in the order of removal, children first.
        kept: The first of the documents that are kept because of what they own.
    """

    database: str
    dry_run: bool
    deleted_before: datetime
    removal_done: bool
    counts: tuple[PurgeCount, ...]
    kept: tuple[KeptDocument, ...] = ()

    @property
    def due(self) -> int:
        """How many documents were to be removed when they were counted."""
        return sum(count.due for count in self.counts)

    @property
    def removed(self) -> int:
        """How many documents were removed."""
        return sum(count.removed for count in self.counts)

    @property
    def kept_count(self) -> int:
        """How many documents are kept because of what they own."""
        return sum(count.kept for count in self.counts)

    def lines(self) -> Iterator[str]:
        """Write in one line for each collection what was found or done."""
        for count in self.counts:
            yield count.line(dry_run=self.dry_run, counted=not self.removal_done)

    def summary(self) -> str:
        """Count in one sentence how much was removed or is to be, and how much is kept."""
        what = f"{self.due} document(s) {_to_be(dry_run=self.dry_run)}"
        if self.removal_done:
            what = f"{self.removed} of {self.due} document(s) removed"
        return (
            f"Database {self.database}, deleted before {self.deleted_before:%Y-%m-%d %H:%M} UTC: "
            f"{what}, {self.kept_count} kept because of what they own."
        )


def _to_be(*, dry_run: bool) -> str:
    return "would be removed" if dry_run else "to be removed"
