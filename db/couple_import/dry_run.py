"""The StoryCanvas database as it would be after the batches so far, for a dry run."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pymongo.database import Database

from db.connection import Document
from db.couple_import.changes import Change
from db.couple_import.placement import Parent, Placement, StoreResult
from db.couple_import.tables import TABLES
from db.couple_import.users import KnownUser, Merge

_NOTES = """
    CREATE TABLE notes (
        collection TEXT, legacy_id INTEGER, id TEXT, category TEXT, parent TEXT, key TEXT,
        email TEXT, username TEXT, lowered TEXT, PRIMARY KEY (collection, legacy_id)
    );
    CREATE INDEX by_parent ON notes (collection, parent);
    CREATE INDEX by_key ON notes (collection, key);
    CREATE INDEX by_email ON notes (email);
    CREATE INDEX by_username ON notes (lowered);
"""
_COLUMNS = ("id", "category")
_USER_COLUMNS = ("email", "username")
_SINGLE = {table.name: table.single for table in TABLES}
_KEYS = {parent: key for table in TABLES for parent, key in table.keyed.values()}


class DryRunTarget(Placement):
    """What the database would hold; kept in a temporary file, since it grows with the rows."""

    def __init__(self, database: Database[Document]) -> None:
        super().__init__(database)
        # With an empty name SQLite uses a temporary file, which goes when the connection is closed.
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

    def keys(self, collection: str, key: str, values: Collection[str]) -> set[str]:
        """Find which values of a field documents have that rows became or would become."""
        noted = self._notes.execute(
            "SELECT key FROM notes WHERE collection = ? "
            "AND key IN (SELECT value FROM json_each(?))",
            (collection, json.dumps([*values])),
        )
        return {value for (value,) in noted} | super().keys(collection, key, values)

    def holders(
        self, collection: str, relation: str, parent_ids: Collection[str]
    ) -> dict[str, int | None]:
        """Find which parents some document points to, or would."""
        noted = self._notes.execute(
            "SELECT parent, legacy_id FROM notes WHERE collection = ? "
            "AND parent IN (SELECT value FROM json_each(?))",
            (collection, json.dumps([*parent_ids])),
        )
        return dict(noted.fetchall()) | super().holders(collection, relation, parent_ids)

    def users_like(self, emails: Collection[str], usernames: Collection[str]) -> list[KnownUser]:
        """Find the users that have one of some addresses or usernames, or would have."""
        noted = self._notes.execute(
            "SELECT id, email, username, legacy_id FROM notes "
            "WHERE email IN (SELECT value FROM json_each(?)) "
            "OR lowered IN (SELECT value FROM json_each(?))",
            (json.dumps([*emails]), json.dumps([*usernames])),
        )
        would_be = {own_id: KnownUser(own_id, *rest) for own_id, *rest in noted}
        there = [user for user in super().users_like(emails, usernames) if user.id not in would_be]
        return [*there, *would_be.values()]

    def insert(self, collection: str, documents: Mapping[int, Document]) -> StoreResult:
        """Remember documents instead of storing them."""
        for legacy_id, document in documents.items():
            self._note(collection, legacy_id, document)
        return StoreResult()

    def change(self, _collection: str, _changes: Mapping[int, Change]) -> StoreResult:
        """Leave documents as they are."""
        return StoreResult()

    def merge(self, merges: Iterable[Merge]) -> StoreResult:
        """Remember users instead of changing them."""
        for merge in merges:
            user = {"id": merge.user.id, "email": merge.user.email, "username": merge.user.username}
            self._note("users", merge.legacy_id, user)
        return StoreResult()

    def _note(self, collection: str, legacy_id: int, document: Mapping[str, Any]) -> None:
        lowered = str(document.get("username", "")).lower() or None
        named = (*_COLUMNS, _SINGLE[collection], _KEYS.get(collection, ""), *_USER_COLUMNS)
        values = (document.get(name) for name in named)
        self._notes.execute(
            "INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (collection, legacy_id, *values, lowered),
        )
