"""Removing for good what was deleted long enough ago, with what it owns, children first.

A document goes only when nothing that it owns stays; so what is not deleted, or not deleted long
enough, keeps whatever it belongs to. It may be killed at any moment and be run by any number of
processes at once: whoever comes next removes what is left. What merely names a removed document,
such as the ledger or a clip its character, is not touched, and neither are pictures.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pymongo
from pymongo.database import Database

from db.connection import Document, translated_errors
from db.deletion import UNREADABLE, deleted_before, deleted_since
from db.keeping import Keeping
from db.owners import children_first, in_batches, is_id, owners
from db.purge_report import PurgeCount, PurgeReport
from db.relations import owned_by

PATIENCE_SECONDS = 6 * 3600.0
"""For counting and for removing; the connection's own 10 s would not do for a large database."""
BATCH = 500
"""Documents removed at once."""

log = logging.getLogger(__name__)


class Purge:
    """Counts what is due, then removes it; both may be repeated after a failure."""

    def __init__(self, database: Database[Document], limit: datetime, *, dry_run: bool) -> None:
        """Choose what is due.

        Args:
            database: The StoryCanvas database.
            limit: UTC; what was deleted before this time is due.
            dry_run: Whether the report says what would be, instead of what is to be.
        """
        self._database = database
        self._limit = limit
        self._dry_run = dry_run
        self._old = deleted_before(limit)
        self._counts: tuple[PurgeCount, ...] = ()
        self._removed: Counter[str] = Counter()

    def count(self) -> PurgeReport:
        """Count by collection what is due and what is kept; nothing is removed.

        Raises:
            db.errors.DatabaseError: The server cannot be reached or refuses the user.
        """
        with translated_errors(), pymongo.timeout(PATIENCE_SECONDS):
            keeping = self._look()
            self._counts = tuple(self._count(name, keeping) for name in children_first())
        return self._report(keeping, removal_done=False)

    def remove(self) -> PurgeReport:
        """Remove what is due, and say how much it was; `count` comes first.

        Raises:
            db.errors.DatabaseError: The server cannot be reached or refuses the user.
        """
        with translated_errors(), pymongo.timeout(PATIENCE_SECONDS):
            keeping = self._look()
            for name in children_first():
                self._remove(name, keeping)
                log.info("Removed from %s: %d.", name, self._removed[name])
        return self._report(keeping, removal_done=True)

    def _look(self) -> Keeping:
        keeping = Keeping(self._database, self._limit)
        for name in children_first():
            keeping.look(name)
        return keeping

    def _count(self, name: str, keeping: Keeping) -> PurgeCount:
        documents = self._database[name]
        kept = len(keeping.ids(name))
        return PurgeCount(
            collection=name,
            due=max(0, documents.count_documents(self._old) - kept),
            kept=kept,
            not_deleted=keeping.count_not_deleted(name),
            later=documents.count_documents(deleted_since(self._limit)),
            unreadable=documents.count_documents(UNREADABLE),
        )

    def _remove(self, name: str, keeping: Keeping) -> None:
        told = self._database[name].find(self._old, {"id": True})
        for batch in in_batches(told, BATCH):
            ids = [one["id"] for one in batch if is_id(one.get("id"))]
            if owned_by(name):
                self._remove_owners(name, ids, keeping)
                nameless = [one["_id"] for one in batch if not is_id(one.get("id"))]
                self._delete(name, "_id", nameless)
            else:
                self._delete(name, "_id", [one["_id"] for one in batch])

    def _remove_owners(self, name: str, ids: Sequence[str], keeping: Keeping) -> None:
        """Remove documents and what they own, after a last look at what came to hang on them."""
        kept = keeping.ids(name)
        for batch in reversed(
            owners(self._database, name, [one for one in ids if one not in kept])
        ):
            keeping.look(batch.collection, batch.ids)
            stay = keeping.ids(batch.collection)
            self._delete(batch.collection, "id", [one for one in batch.ids if one not in stay])

    def _delete(self, name: str, field: str, values: Sequence[Any]) -> None:
        if values:
            query = {field: {"$in": [*values]}, **self._old}
            self._removed[name] += self._database[name].delete_many(query).deleted_count

    def _report(self, keeping: Keeping, *, removal_done: bool) -> PurgeReport:
        return PurgeReport(
            database=self._database.name,
            dry_run=self._dry_run,
            deleted_before=self._limit,
            removal_done=removal_done,
            counts=tuple(self._after(keeping)) if removal_done else self._counts,
            kept=tuple(keeping.listed),
        )

    def _after(self, keeping: Keeping) -> Iterator[PurgeCount]:
        for one in self._counts:
            known = {"removed": self._removed[one.collection]}
            yield one.model_copy(update={**known, "kept": len(keeping.ids(one.collection))})
