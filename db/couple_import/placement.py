"""The queries and writes of the collections that rows become documents of.

Every write is safe to repeat, in any number of processes at once: a row has the same `_id`
everywhere, and an existing document is changed only as `changes` says, or by merging a user into
it. Each call takes one batch, at most a few thousand rows.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError, WriteError

from db.connection import Document, reading_anything, translated_errors
from db.couple_import.changes import Change
from db.couple_import.users import KnownUser, Merge
from db.migrations.engine.odd import BROKEN_TEXT
from db.users import CAPITALS

_DUPLICATE_KEY = 11000
_INVALID = 121
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
class StoreResult:
    """The documents of a batch that were not stored or changed, by legacy id.

    Attributes:
        existing: Another process stored or changed them first.
        refused: The server keeps them out, with the reason.
    """

    existing: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)


class Placement:
    """The StoryCanvas database as the target of an import; used as a context."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._stored = reading_anything(database)
        self._with_capitals: list[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open."""

    def parents(self, collection: str, legacy_ids: Collection[int]) -> dict[int, Parent]:
        """Find the documents that rows became, deleted ones too, as far as they have an id."""
        if not legacy_ids:
            return {}
        fields = {"id": True, "legacy_id": True, "category": True}
        with translated_errors():
            found = [*self._stored[collection].find({"legacy_id": {"$in": [*legacy_ids]}}, fields)]
        return {
            int(document["legacy_id"]): Parent(document["id"], document.get("category"))
            for document in found
            if _is_id(document.get("id"))
        }

    def holders(
        self, collection: str, relation: str, parent_ids: Collection[str]
    ) -> dict[str, int | None]:
        """Find which parents some document points to.

        The document's legacy id is given by the parent's id, None where it has none.
        """
        wanted = {relation: {"$in": [*parent_ids]}}
        with translated_errors():
            found = self._stored[collection].find(wanted, {relation: True, "legacy_id": True})
            return {document[relation]: _legacy_id(document) for document in found}

    def keys(self, collection: str, key: str, values: Collection[str]) -> set[str]:
        """Find which values of a field documents have that rows became."""
        wanted = {key: {"$in": [*values]}}
        with translated_errors():
            return {
                document[key] for document in self._stored[collection].find(wanted, {key: True})
            }

    def states(
        self, collection: str, legacy_ids: Collection[int], fields: Iterable[str]
    ) -> dict[int, Document]:
        """Read some fields of documents that rows became."""
        if not legacy_ids:
            return {}
        wanted = {"legacy_id": {"$in": [*legacy_ids]}}
        shown = dict.fromkeys(("legacy_id", *fields), True)
        with translated_errors():
            found = [*self._stored[collection].find(wanted, shown)]
        return {int(document["legacy_id"]): document for document in found}

    def users_like(self, emails: Collection[str], usernames: Collection[str]) -> list[KnownUser]:
        """Find the users that have one of some addresses or names, except deleted ones.

        The addresses and names are in lower case, those of the users may have capitals.
        """
        same = [
            {"email": {"$in": [*emails]}},
            {"username": {"$in": [*usernames]}},
            {"_id": {"$in": self._written_with_capitals()}},
        ]
        with translated_errors():
            found = self._stored["users"].find(
                {"$or": same, "deleted_at": None}, dict.fromkeys(_USER_FIELDS, True)
            )
            return [_known(user) for user in found]

    def insert(self, collection: str, documents: Mapping[int, Document]) -> StoreResult:
        """Store new documents, and find which of them were not stored, and why."""
        if not documents:
            return StoreResult()
        legacy_ids = [*documents]
        with translated_errors():
            try:
                self._database[collection].insert_many([*documents.values()], ordered=False)
            except BulkWriteError as error:
                failures = error.details["writeErrors"]
                if any(failure["code"] not in {_DUPLICATE_KEY, _INVALID} for failure in failures):
                    raise
                return self._result(
                    collection,
                    {
                        legacy_ids[failure["index"]]: _reason(collection, failure)
                        for failure in failures
                    },
                )
        return StoreResult()

    def change(self, collection: str, changes: Mapping[int, Change]) -> StoreResult:
        """Change documents, as far as each is still what the change was decided on."""
        result = StoreResult()
        for legacy_id, change in changes.items():
            with translated_errors():
                try:
                    done = self._database[collection].update_one(change.guard, {"$set": change.set})
                except WriteError as error:
                    if error.code not in {_DUPLICATE_KEY, _INVALID}:
                        raise
                    result.refused[legacy_id] = _reason(collection, error.details or {})
                    continue
            if not done.matched_count:
                result.existing.add(legacy_id)
        return result

    def merge(self, merges: Iterable[Merge]) -> StoreResult:
        """Give users of StoryCanvas a row's legacy id, and the earlier `created_at`."""
        failures = {
            merge.legacy_id: "its user was changed at the same moment; run this again"
            for merge in merges
            if not self._merged(merge)
        }
        return self._result("users", failures) if failures else StoreResult()

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

    def _result(self, collection: str, failures: Mapping[int, str]) -> StoreResult:
        """Separate what another process stored from what the server refuses."""
        there = self.parents(collection, failures.keys())
        refused = {
            legacy_id: reason for legacy_id, reason in failures.items() if legacy_id not in there
        }
        return StoreResult({*there}, refused)

    def _written_with_capitals(self) -> list[Any]:
        """Find once the users whose address or name has capitals; no index finds them."""
        if self._with_capitals is None:
            either = [{name: {"$regex": CAPITALS}} for name in ("email", "username")]
            with translated_errors():
                found = self._stored["users"].find(
                    {"$or": either, "deleted_at": None}, {"_id": True}
                )
                self._with_capitals = [document["_id"] for document in found]
        return self._with_capitals


def _is_id(value: object) -> bool:
    """Check for an id that can be written as it was read."""
    return isinstance(value, str) and BROKEN_TEXT not in value


def _known(stored: Document) -> KnownUser:
    email = str(stored.get("email", ""))
    return KnownUser(
        stored["id"] if _is_id(stored.get("id")) else "",
        email.lower(),
        str(stored.get("username", "")),
        _legacy_id(stored),
        stored.get("created_at"),
        written=email,
    )


def _legacy_id(stored: Document) -> int | None:
    legacy_id = stored.get("legacy_id")
    return int(legacy_id) if isinstance(legacy_id, int | float) and legacy_id % 1 == 0 else None


def _reason(collection: str, failure: Mapping[str, Any]) -> str:
    if failure.get("code") == _INVALID:
        return f"the validator of {collection} refuses it"
    fields = ", ".join(field for field in failure.get("keyPattern", {}) if field != "deleted_at")
    return f"a document of {collection} has the same {fields} already, which must be unique"
