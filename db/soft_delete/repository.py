"""Queries of the collections whose documents are marked as deleted instead of removed."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import pymongo
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.connection import Document, translated_errors
from db.errors import (
    DocumentDeleted,
    DocumentNotDeleted,
    FieldProtected,
    NotSoftDeletable,
    UnknownDocument,
    ValueTaken,
)
from db.schema.relations import SOFT_DELETABLE
from db.soft_delete.cascade import Counts, delete_with_owned, in_one_transaction, restore_with_owned
from db.soft_delete.marks import PENDING_DELETION, Deleted, Mark, mark_of, where

TIMEOUT_SECONDS = 120.0
"""For a whole cascade; the connection's own 10 s for each answer would not do for a large one."""

_PROTECTED = {
    "_id": "it names the document for good",
    "id": "other documents name it by that",
    "deleted_at": "delete or restore the document instead",
    "deleted_by": "delete or restore the document instead",
    PENDING_DELETION: "delete or restore the document instead",
}
_CREDENTIALS = re.compile(r"//[^/@\s]*@")


class SoftDeletableRepository:
    """Reads, changes, deletes and restores documents of one collection, by their `id`.

    A deleted document is found only on request, and is never changed.
    """

    def __init__(self, database: Database[Document], collection: str) -> None:
        if collection not in SOFT_DELETABLE:
            raise NotSoftDeletable(
                f"Documents of {collection!r} are not marked as deleted; this can be done with "
                f"{', '.join(sorted(SOFT_DELETABLE))}."
            )
        self._database = database
        self._name = collection
        self._documents = database[collection]

    def find(self, document_id: str, *, deleted: Deleted = "not") -> Document:
        """Read a document.

        Raises:
            UnknownDocument: There is none.
            DocumentDeleted: There is one, but it is deleted.
            DocumentNotDeleted: There is one, but it is not deleted.
        """
        with translated_errors():
            found = self._documents.find_one(where({"id": document_id}, deleted))
            return self._stored(document_id) if found is None else found

    def find_many(
        self,
        query: Mapping[str, Any],
        *,
        deleted: Deleted = "not",
        sort: Mapping[str, int] | None = None,
        limit: int = 0,
    ) -> Iterator[Document]:
        """Read all documents that a query finds, a batch at a time.

        A condition of the query on `deleted_at` holds besides the rule of `deleted`. `sort` maps
        fields to 1 (ascending) or -1; a `limit` of 0 is none.
        """
        with translated_errors():
            yield from self._documents.find(where(query, deleted), sort=sort, limit=limit)

    def update(self, document_id: str, changes: Mapping[str, Any], now: datetime) -> Document:
        """Set fields of a document that is not deleted.

        Raises:
            FieldProtected: A field is not to be changed this way.
            UnknownDocument: There is none.
            DocumentDeleted: There is one, but it is deleted.
            ValueTaken: Another document has a value that must be unique.
        """
        _refuse_protected(changes)
        with translated_errors():
            try:
                changed = self._documents.find_one_and_update(
                    where({"id": document_id}, "not"),
                    {"$set": {"updated_at": now, **changes}},
                    return_document=ReturnDocument.AFTER,
                )
            except DuplicateKeyError as error:
                self._refuse_taken(error, changes, "updated")
                raise
            return self._stored(document_id) if changed is None else changed

    def soft_delete(self, document_id: str, by: str | None, now: datetime) -> Counts:
        """Mark a document and all that it owns as deleted; a second time changes nothing.

        It is one transaction on a replica set, whose limits are in `db.soft_delete.cascade`. On a
        standalone server a kill may leave a part of it done; the next call goes on with the mark of
        the first, and `restore` undoes it.

        Raises:
            UnknownDocument: There is none.
            TransactionUnfinished: It is too large for one transaction, or met others for too long.
        """
        mark = Mark(now, by)

        def work(session: ClientSession | None) -> Counts:
            root = self._any(document_id, session)
            return delete_with_owned(self._database, self._name, root, mark, session)

        with translated_errors(), pymongo.timeout(TIMEOUT_SECONDS):
            return in_one_transaction(self._database, work)

    def restore(self, document_id: str) -> Counts:
        """Bring back a document and what was deleted together with it, and nothing else.

        Of what it owns, that is what carries the same `deleted_at` and `deleted_by`. It can be
        repeated, and does nothing to a document that is not deleted.

        Raises:
            UnknownDocument: There is none.
            ParentDeleted: It belongs to a document that is deleted.
            ValueTaken: Another document has a value that must be unique by now.
            TransactionUnfinished: It is too large for one transaction, or met others for too long.
        """
        with translated_errors(), pymongo.timeout(TIMEOUT_SECONDS):
            return in_one_transaction(self._database, partial(self._restore, document_id))

    def _restore(self, document_id: str, session: ClientSession | None) -> Counts:
        root = self._any(document_id, session)
        try:
            return restore_with_owned(self._database, self._name, root, session)
        except DuplicateKeyError as error:
            self._refuse_taken(error, root, "restored")
            raise

    def _any(self, document_id: str, session: ClientSession | None) -> Document:
        found = self._documents.find_one({"id": document_id}, session=session)
        if found is None:
            raise UnknownDocument(f"There is no {document_id!r} in {self._name}.")
        return found

    def _stored(self, document_id: str) -> Document:
        """Raise the reason why a document was not found."""
        found = self._any(document_id, None)
        if mark_of(found):
            raise DocumentDeleted(
                f"{document_id!r} of {self._name} was deleted at {found['deleted_at']}; restore it "
                "first."
            )
        raise DocumentNotDeleted(
            f"{document_id!r} of {self._name} is not deleted; look for it among the others."
        )

    def _refuse_taken(self, error: DuplicateKeyError, values: Mapping[str, Any], what: str) -> None:
        """Name the field and the value, if the index is one of this collection."""
        details = error.details or {}
        fields = [field for field in details.get("keyPattern", {}) if field != "deleted_at"]
        here = f".{self._name} " in str(details.get("errmsg"))
        if not here or any(field not in values for field in fields):
            return
        taken = ", ".join(
            f"{field} {_CREDENTIALS.sub('//', repr(values[field]))}" for field in fields
        )
        raise ValueTaken(
            f"Nothing was {what}: another document of {self._name} has the {taken}; change or "
            "delete that one, or choose another value, first."
        ) from error


def _refuse_protected(changes: Mapping[str, Any]) -> None:
    for path in changes:
        if reason := _PROTECTED.get(path.partition(".")[0]):
            raise FieldProtected(f"The field {path!r} is not set by an update: {reason}.")
