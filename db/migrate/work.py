"""What a migration works with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database

from db.connection import Document
from db.found import collection_names
from db.migrate.field_change import Change, FieldChange
from db.migrate.id_ranges import RANGE_SIZE
from db.migrate.in_ranges import in_ranges

Progress = Callable[[str, int, int], None]
"""Gets a collection's name, how many of its documents were looked at, and about how many it has."""


@dataclass
class Work:
    """One migration's way to the database.

    Attributes:
        database: The StoryCanvas database.
        still_mine: Raises when another run has taken over, so that no further write is begun.
        progress: Told how far a collection is.
        remembered: What the migration keeps in its record until it is undone.
        remember: Stores a part of what is remembered; what was stored before stays.
    """

    database: Database[Document]
    still_mine: Callable[[], None]
    progress: Progress
    remembered: dict[str, Any] = field(default_factory=dict)
    remember: Callable[[str, Any], None] = lambda _name, _value: None

    def change(self, change: FieldChange) -> None:
        """Bring the fields of a collection's documents to what they should be."""
        self.in_ranges(change.collection, self._updates(change.collection, change.up()))

    def undo(self, change: FieldChange) -> None:
        """Bring the fields of a collection's documents back to what they were."""
        self.in_ranges(change.collection, self._updates(change.collection, change.down()))

    def update(self, name: str, query: Document, update: list[Document]) -> None:
        """Update the documents of a collection that a query finds."""
        self.in_ranges(name, self._updates(name, [(query, update)]))

    def in_ranges(self, name: str, act: Callable[[Document], None]) -> None:
        """Do something in every range of a collection, and tell how far it is.

        A view in the place of a collection is left alone.

        Args:
            name: The collection's name.
            act: Gets a query for the range; may run in several threads at a time.

        Raises:
            MigrationLockLost: Another run may have taken over; no range is begun after that.
        """
        if name not in collection_names(self.database):
            return
        collection = self.database[name]
        total, seen = collection.estimated_document_count(), 0

        def act_if_mine(which: Document) -> None:
            self.still_mine()
            act(which)

        def tell() -> None:
            nonlocal seen
            seen = min(seen + RANGE_SIZE, total)
            self.progress(name, seen, total)

        in_ranges(collection, act_if_mine, tell)

    def _updates(self, name: str, changes: list[Change]) -> Callable[[Document], None]:
        """Make a function that carries out updates in a range.

        The server refuses none for what its validator says: what a migration finds may be
        invalid, and what it restores is.
        """

        def carry_out(which: Document) -> None:
            for query, update in changes:
                done = self.database[name].update_many(
                    {**which, **query}, update, bypass_document_validation=True
                )
                if done.matched_count >= RANGE_SIZE:
                    return  # That was all of them.

        return carry_out
