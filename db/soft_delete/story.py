"""Deleting and restoring a part of a story, counted first.

What was changed is counted by the mark afterwards and not from the answers of the server: a try
that lost its answer would report that it did nothing.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal

from pymongo.database import Database

from db.connection import Document, translated_errors
from db.schema.collections import COLLECTIONS
from db.schema.documents.base import Frozen
from db.schema.indexes import NOT_DELETED
from db.soft_delete.cascade import Counts, count_owned, refuse_below_deleted
from db.soft_delete.marks import mark_of, pending_mark_of
from db.soft_delete.repository import SoftDeletableRepository
from storycanvas.net.wording import counted

StoryCollection = Literal[
    "projects", "scenes", "clips", "characters", "style_templates", "facefusion_presets"
]
"""What a person deletes and restores; users and servers are the operator's."""
Action = Literal["delete", "restore"]
_DONE: Mapping[Action, str] = {"delete": "deleted", "restore": "restored"}


class StoryReport(Frozen):
    """A document, and how many documents go into the bin or come back with it.

    Attributes:
        name: The document's own.
        by: Who does it.
        done: Whether it is done; else it was only counted.
        counts: Documents by collection, the document itself included, those without any left out.
        deleted_at: When it was deleted before this run; empty if it was not.
        deleted_by: Who deleted it then.
    """

    action: Action
    database: str
    collection: StoryCollection
    document_id: str
    name: str
    by: str | None
    dry_run: bool
    done: bool
    counts: dict[str, int]
    deleted_at: str = ""
    deleted_by: str = ""

    @property
    def documents(self) -> int:
        """How many there are in all."""
        return sum(self.counts.values())

    @property
    def done_words(self) -> str:
        """Word what is done with them, also of a dry run."""
        if self.done:
            return _DONE[self.action]
        return f"{'would' if self.dry_run else 'will'} be {_DONE[self.action]}"

    def lines(self) -> Iterator[str]:
        """Write in one line for each collection how many documents there are."""
        for collection, count in self.counts.items():
            yield f"{collection}: {count} {self.done_words}."

    def summary(self) -> str:
        """Describe in a sentence what becomes of how many documents."""
        by = f" by {self.by}" if self.by else ""
        counts = ", ".join(
            counted(count, collection.removesuffix("s").replace("_", " "))
            for collection, count in self.counts.items()
        )
        changed = f"{counts} {self.done_words}{by}" if counts else "nothing is to be done"
        return f"{self.document_id!r} of {self.collection}{self._named}{self._before}: {changed}."

    @property
    def _named(self) -> str:
        return f" ({self.name})" if self.name else ""

    @property
    def _before(self) -> str:
        if not self.deleted_at:
            return ", which is not deleted" if self.action == "restore" else ""
        by = f" by {self.deleted_by}" if self.deleted_by else ""
        return f", deleted at {self.deleted_at}{by}"


class StoryChange:
    """Deletes or restores a document with what belongs to it, on one call or on several tries.

    Args:
        by: User id of who does it; None if it is not known.
        now: The time of a deletion, UTC, the same on every try.
    """

    def __init__(
        self,
        database: Database[Document],
        action: Action,
        collection: StoryCollection,
        document_id: str,
        by: str | None,
        now: datetime,
    ) -> None:
        self._database = database
        self._action: Action = action
        self._name: StoryCollection = collection
        self._id = document_id
        self._by = by
        self._now = now
        self._repository = SoftDeletableRepository(database, collection)

    def count(self, *, dry_run: bool) -> StoryReport:
        """Count what would be changed.

        Raises:
            UnknownDocument: There is no such document.
            ParentDeleted: It would be restored below a document that stays deleted.
        """
        root = self._repository.find(self._id, deleted="any")
        with translated_errors():
            if self._action == "delete":
                counts = count_owned(self._database, self._name, root, NOT_DELETED)
                counts[self._name] += mark_of(root) is None
            else:
                counts = self._restorable(root)
        before = mark_of(root)
        return StoryReport(
            action=self._action,
            database=self._database.name,
            collection=self._name,
            document_id=self._id,
            name=str(root.get("name") or ""),
            by=self._by,
            dry_run=dry_run,
            done=False,
            counts=_without_none(counts),
            deleted_at=_shown(before.deleted_at) if before else "",
            deleted_by=str(before.deleted_by or "") if before else "",
        )

    def apply(self, before: StoryReport) -> StoryReport:
        """Change what was counted; it may be called again, and counts the same then.

        Raises:
            UnknownDocument: There is no such document any more.
            ParentDeleted: It would be restored below a document that stays deleted.
            ValueTaken: Another document has its name by now.
            TransactionUnfinished: It is too large for one transaction, or met others for too long.
        """
        counts = Counter(before.counts)
        if self._action == "restore":
            root = self._repository.find(self._id, deleted="any")
            self._repository.restore(self._id)
            mark = mark_of(root) or pending_mark_of(root)
            with translated_errors():
                counts -= count_owned(self._database, self._name, root, mark.fields) if mark else {}
        else:
            self._repository.soft_delete(self._id, self._by, self._now)
            if not before.deleted_at:
                with translated_errors():
                    counts = self._marked(self._repository.find(self._id, deleted="any"))
        return before.model_copy(update={"done": True, "counts": _without_none(counts)})

    def _restorable(self, root: Document) -> Counts:
        if mark_of(root):
            refuse_below_deleted(self._database, self._name, root)
        return self._marked(root)

    def _marked(self, root: Document) -> Counts:
        """Count what carries the document's mark, or that of a deletion that did not end."""
        mark = mark_of(root) or pending_mark_of(root)
        if mark is None:
            return Counter()
        counts = count_owned(self._database, self._name, root, mark.fields)
        counts[self._name] += mark_of(root) is not None
        return counts


def _without_none(counts: Counts) -> dict[str, int]:
    """Order the counts as the registry has the collections, parents first."""
    return {each.name: counts[each.name] for each in COLLECTIONS if counts[each.name]}


def _shown(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if isinstance(moment, datetime) else str(moment)
