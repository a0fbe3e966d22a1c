"""Where rows are placed: the queries and writes of the five collections.

Every write is safe to repeat, in any number of processes at once: a row has the same `_id`
everywhere, and a document that is there is never changed, but for the one merge of a user.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError

from db.connection import Document, translated_errors
from db.couple_import.users import KnownUser, Merge
from db.schema.indexes import WITHOUT_CASE

_DUPLICATE_KEY = 11000
_INVALID = 121
_NO_CASE = dict(WITHOUT_CASE)
_USER_FIELDS = ("id", "email", "username", "legacy_id", "created_at")


@dataclass(frozen=True)
class Parent:
    """A document that rows may point to.

    Attributes:
        id: What relations name it by.
        category: Of an image, as stored.
    """

    id: str
    category: object = None


@dataclass
class Settled:
    """What became of documents that were to be stored, by legacy id; the others were stored.

    Attributes:
        existing: Another process stored them first.
        refused: The server keeps them out, with the reason.
    """

    existing: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)


class Placement:
    """The StoryCanvas database as the target of an import; used as a context."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._odd_emails: list[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open."""

    def parents(self, collection: str, legacy_ids: Collection[int]) -> dict[int, Parent]:
        """Find the documents that rows became, deleted ones too.

        Args:
            collection: Where they are.
            legacy_ids: Ids of at most a few thousand rows.

        Returns:
            Those that are there and have an id.
        """
        if not legacy_ids:
            return {}
        fields = {"id": True, "legacy_id": True, "category": True}
        with translated_errors():
            found = [
                *self._database[collection].find({"legacy_id": {"$in": [*legacy_ids]}}, fields)
            ]
        return {
            int(one["legacy_id"]): Parent(one["id"], one.get("category"))
            for one in found
            if isinstance(one.get("id"), str)
        }

    def holders(
        self, collection: str, relation: str, parent_ids: Collection[str]
    ) -> dict[str, int | None]:
        """Find which of some parents have a document that points to them.

        Args:
            collection: Whose documents.
            relation: The field that names the parent.
            parent_ids: At most a few thousand.

        Returns:
            The document's legacy id, None where it has none, by the parent's id.
        """
        wanted = {relation: {"$in": [*parent_ids]}}
        with translated_errors():
            found = self._database[collection].find(wanted, {relation: True, "legacy_id": True})
            return {one[relation]: _legacy_id(one) for one in found}

    def users_like(self, emails: Collection[str], usernames: Collection[str]) -> list[KnownUser]:
        """Find the users, but deleted ones, who have one of some addresses or usernames.

        Args:
            emails: At most a few thousand, in lower case.
            usernames: At most a few thousand, in any case.
        """
        users = self._database["users"]
        fields = dict.fromkeys(_USER_FIELDS, True)
        same_email = {"$or": [{"email": {"$in": [*emails]}}, {"_id": {"$in": self._odd()}}]}
        same_username = {"username": {"$in": [*usernames]}}
        with translated_errors():
            found = {
                one["_id"]: one
                for one in (
                    *users.find(same_email | {"deleted_at": None}, fields),
                    *users.find(same_username | {"deleted_at": None}, fields, collation=_NO_CASE),
                )
            }
        return [_known(one) for one in found.values()]

    def insert(self, collection: str, documents: Mapping[int, Document]) -> Settled:
        """Store new documents.

        Args:
            collection: Where.
            documents: By legacy id, at most a few thousand.

        Returns:
            Which of them were not stored, and why.

        Raises:
            db.errors.DatabaseError: The server cannot be reached, or refuses the user.
        """
        if not documents:
            return Settled()
        legacy_ids = [*documents]
        with translated_errors():
            try:
                self._database[collection].insert_many([*documents.values()], ordered=False)
            except BulkWriteError as error:
                failures = error.details["writeErrors"]
                if any(one["code"] not in {_DUPLICATE_KEY, _INVALID} for one in failures):
                    raise
                return self._settled(
                    collection,
                    {legacy_ids[one["index"]]: _reason(collection, one) for one in failures},
                )
        return Settled()

    def merge(self, merges: Iterable[Merge]) -> Settled:
        """Let users of StoryCanvas be rows: their legacy id, and the earliest time they were made.

        Args:
            merges: At most a few thousand.

        Returns:
            Which of them were not merged, and why.

        Raises:
            db.errors.DatabaseError: The server cannot be reached, or refuses the user.
        """
        failures = {
            one.legacy_id: "its user was changed at the same moment; run this again"
            for one in merges
            if not self._merged(one)
        }
        return self._settled("users", failures) if failures else Settled()

    def _merged(self, merge: Merge) -> bool:
        change: Document = {"legacy_id": merge.legacy_id}
        if merge.created_at is not None:
            change["created_at"] = merge.created_at
        unclaimed = {"id": merge.user.id, "deleted_at": None, "legacy_id": None}
        with translated_errors():
            try:
                done = self._database["users"].update_one(unclaimed, {"$set": change})
            except DuplicateKeyError:
                return False
        return done.matched_count == 1

    def _settled(self, collection: str, failures: Mapping[int, str]) -> Settled:
        """Tell what somebody else stored from what the server keeps out."""
        there = self.parents(collection, failures.keys())
        refused = {one: reason for one, reason in failures.items() if one not in there}
        return Settled({*there}, refused)

    def _odd(self) -> list[Any]:
        """Find once whose address was stored with capitals, against the rule; no index tells."""
        if self._odd_emails is None:
            with translated_errors():
                found = self._database["users"].find(
                    {"email": {"$regex": r"\p{Lu}"}, "deleted_at": None}, {"_id": True}
                )
                self._odd_emails = [one["_id"] for one in found]
        return self._odd_emails


def _known(stored: Document) -> KnownUser:
    return KnownUser(
        stored["id"] if isinstance(stored.get("id"), str) else "",
        str(stored.get("email", "")).lower(),
        str(stored.get("username", "")),
        _legacy_id(stored),
        stored.get("created_at"),
    )


def _legacy_id(stored: Document) -> int | None:
    legacy_id = stored.get("legacy_id")
    return int(legacy_id) if isinstance(legacy_id, int | float) and legacy_id % 1 == 0 else None


def _reason(collection: str, failure: Mapping[str, Any]) -> str:
    if failure["code"] == _INVALID:
        return f"the validator of {collection} refuses it"
    fields = ", ".join(failure.get("keyPattern", {}))
    return f"a document of {collection} has the same {fields} already, which must be unique"


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


class DryRunTarget(Placement):
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
