"""A placement that writes nothing and remembers what it would have written."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pymongo.database import Database

from db.connection import Document
from db.couple_import.placement import Parent, Placement, Settled
from db.couple_import.users import KnownUser, Merge

_NOTES = """
    CREATE TABLE notes (
        collection TEXT, legacy_id INTEGER, id TEXT, category TEXT, image_id TEXT,
        email TEXT, username TEXT, folded TEXT, PRIMARY KEY (collection, legacy_id)
    );
    CREATE INDEX by_image ON notes (image_id);
    CREATE INDEX by_email ON notes (email);
    CREATE INDEX by_username ON notes (folded);
"""
_COLUMNS = ("id", "category", "image_id", "email", "username")


class Rehearsal(Placement):
    """What the database would hold; kept in a temporary file, since it grows with the rows."""

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        # An empty name is SQLite's for a file without one, which goes with its connection.
        self._notes = sqlite3.connect("")
        self._notes.executescript(_NOTES)

    def __exit__(self, *_: object) -> None:
        self._notes.close()

    def parents(self, collection: str, legacy_ids: Collection[int]) -> dict[int, Parent]:
        """Find the documents that rows became or would become."""
        noted = self._notes.execute(
            "SELECT legacy_id, id, category FROM notes WHERE collection = ? "
            "AND legacy_id IN (SELECT value FROM json_each(?))",
            (collection, json.dumps([*legacy_ids])),
        )
        would_be = {legacy_id: Parent(own_id, category) for legacy_id, own_id, category in noted}
        return would_be | super().parents(collection, legacy_ids)

    def holders(
        self, collection: str, relation: str, parent_ids: Collection[str]
    ) -> dict[str, int | None]:
        """Find which of some images have a template, or would have."""
        noted = self._notes.execute(
            "SELECT image_id, legacy_id FROM notes "
            "WHERE image_id IN (SELECT value FROM json_each(?))",
            (json.dumps([*parent_ids]),),
        )
        return dict(noted.fetchall()) | super().holders(collection, relation, parent_ids)

    def users_like(self, emails: Collection[str], usernames: Collection[str]) -> list[KnownUser]:
        """Find the users who have one of some addresses or usernames, or would have."""
        noted = self._notes.execute(
            "SELECT id, email, username, legacy_id FROM notes "
            "WHERE email IN (SELECT value FROM json_each(?)) "
            "OR folded IN (SELECT value FROM json_each(?))",
            (json.dumps([*emails]), json.dumps([name.casefold() for name in usernames])),
        )
        would_be = {own_id: KnownUser(own_id, *rest) for own_id, *rest in noted}
        there = [user for user in super().users_like(emails, usernames) if user.id not in would_be]
        return [*there, *would_be.values()]

    def insert(self, collection: str, documents: Mapping[int, Document]) -> Settled:
        """Remember documents instead of storing them."""
        for legacy_id, document in documents.items():
            self._note(collection, legacy_id, document)
        return Settled()

    def merge(self, merges: Iterable[Merge]) -> Settled:
        """Remember users instead of changing them."""
        for one in merges:
            user = {"id": one.user.id, "email": one.user.email, "username": one.user.username}
            self._note("users", one.legacy_id, user)
        return Settled()

    def _note(self, collection: str, legacy_id: int, document: Mapping[str, Any]) -> None:
        folded = str(document.get("username", "")).casefold() or None
        self._notes.execute(
            "INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (collection, legacy_id, *(document.get(name) for name in _COLUMNS), folded),
        )
