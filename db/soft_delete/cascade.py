"""Deleting a document with all that it owns, and restoring exactly what was deleted with it.

All documents of a cascade carry one mark, `deleted_at` and `deleted_by`, by which a restore finds
them; what had been deleted before keeps its own mark. With a session it is one transaction.
Without, the writes go children first and the document itself last, so that a kill between any two
leaves the document as it was, and the next try ends what was begun: a deletion first writes its
mark into `deletion_begun` of the document, where the next try finds it; a restore needs no such
note, since the document carries its mark until its last write.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from db.connection import Document
from db.errors import ParentDeleted, TransactionUnfinished
from db.schema.indexes import NOT_DELETED
from db.schema.relations import owned_by
from db.soft_delete.marks import NOT_MARKED, PENDING_DELETION, Mark, mark_of, pending_mark_of, where
from db.soft_delete.owned import Owners, is_id, owners, parents_of

T = TypeVar("T")
Counts = Counter[str]
"""Numbers of documents by collection."""


def can_transact(database: Database[Document]) -> bool:
    """Ask the server whether it is part of a replica set or of a sharded cluster."""
    hello = database.client.admin.command("hello")
    return bool(hello.get("setName")) or hello.get("msg") == "isdbgrid"


def in_one_transaction(
    database: Database[Document], work: Callable[[ClientSession | None], T]
) -> T:
    """Run `work` in a transaction with its session, or with None on a standalone server.

    `work` may be called again, and must be repeatable in both cases. The server ends a transaction
    after its `transactionLifetimeLimitSeconds`, 60 s unless it is set otherwise, and cannot hold
    more than its cache has room for: 30 000 changed documents were well in a cache of 256 MB,
    110 000 were too many. A transaction whose process was killed keeps its documents from others
    until its 60 s are over. The driver begins anew, for up to 120 s, when a transaction ended
    early; `TransactionUnfinished` means that no attempt was committed and nothing has changed.
    """
    if not can_transact(database):
        return work(None)
    with database.client.start_session() as session:
        try:
            return session.with_transaction(
                work,
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority"),
            )
        except PyMongoError as error:
            late = error.timeout or error.has_error_label("TransientTransactionError")
            if isinstance(error, ConnectionFailure) or not late:
                raise
            raise TransactionUnfinished(
                "The transaction did not come to its end, and nothing was changed: another one "
                "holds its documents, or they are too many for one; try again later, or begin "
                "with smaller parts, such as the scenes of a project."
            ) from error


def delete_with_owned(
    database: Database[Document],
    collection: str,
    root: Mapping[str, Any],
    mark: Mark,
    session: ClientSession | None,
) -> Counts:
    """Mark a document and all that it owns, directly or not, as deleted.

    A deleted document keeps its mark, and what it owns and is not deleted gets the same mark; so it
    can be repeated, and repairs what was added below a deleted document. An earlier attempt's mark
    holds instead of `mark`; `session` is None on a server without transactions.
    """
    kept = mark_of(root) or pending_mark_of(root)
    if kept is None and session is None:
        kept = _begin(database, collection, root, mark)
    mark = kept or mark
    found = owners(database, collection, [root.get("id", "")], session)
    changed = _change_owned(
        database, root, found, NOT_DELETED, {"$set": mark.fields}, session=session
    )
    done = database[collection].update_one(
        {"_id": root["_id"], **NOT_DELETED},
        {"$set": mark.fields, "$unset": {PENDING_DELETION: True}},
        session=session,
    )
    return changed + Counter({collection: done.modified_count})


def restore_with_owned(
    database: Database[Document],
    collection: str,
    root: Mapping[str, Any],
    session: ClientSession | None,
) -> Counts:
    """Take the mark off a document and off what was deleted together with it.

    A deletion that began and did not end is undone as well. A document that is not deleted stays
    as it is, so it can be repeated.

    Raises:
        ParentDeleted: It belongs to a document that is deleted and would stay so.
    """
    own = mark_of(root)
    mark = own or pending_mark_of(root)
    if mark is None:
        return Counter()
    found = owners(database, collection, [root.get("id", "")], session)
    if own:
        _refuse_below_deleted(database, collection, root, found, session)
    change = {"$set": dict(NOT_MARKED)}
    changed = _change_owned(database, root, found, mark.fields, change, session=session)
    done = database[collection].update_one(
        {"_id": root["_id"], "deleted_at": root.get("deleted_at")},
        change if own else {"$unset": {PENDING_DELETION: True}},
        session=session,
    )
    return changed + Counter({collection: done.modified_count if own else 0})


def count_owned(
    database: Database[Document], collection: str, root: Mapping[str, Any], which: Mapping[str, Any]
) -> Counts:
    """Count what a document owns, directly or not, and `which` selects, each document once."""
    links: defaultdict[str, list[Document]] = defaultdict(list)
    for batch in owners(database, collection, [root.get("id", "")]):
        for relation in owned_by(batch.collection):
            links[relation.collection].append({relation.field: {"$in": [*batch.ids]}})
    counted: Counts = Counter()
    for name, any_of in links.items():
        query = {"$or": any_of, "_id": {"$ne": root["_id"]}, **which}
        counted[name] = database[name].count_documents(query)
    return counted


def refuse_below_deleted(
    database: Database[Document], collection: str, root: Mapping[str, Any]
) -> None:
    """Refuse what a restore would refuse.

    Raises:
        ParentDeleted: It belongs to a document that is deleted and would stay so.
    """
    found = owners(database, collection, [root.get("id", "")])
    _refuse_below_deleted(database, collection, root, found, None)


def _begin(
    database: Database[Document], collection: str, root: Mapping[str, Any], mark: Mark
) -> Mark | None:
    """Store the mark of a deletion that begins, and read which mark holds: the first one stored."""
    documents = database[collection]
    documents.update_one(
        {"_id": root["_id"], **NOT_DELETED, PENDING_DELETION: None},
        {"$set": {PENDING_DELETION: mark.fields}},
    )
    noted = documents.find_one({"_id": root["_id"]}) or {}
    return mark_of(noted) or pending_mark_of(noted)


def _change_owned(
    database: Database[Document],
    root: Mapping[str, Any],
    found: list[Owners],
    which: Mapping[str, Any],
    change: Document,
    *,
    session: ClientSession | None,
) -> Counts:
    """Change some of what hangs on the owners that were found, children first."""
    changed: Counts = Counter()
    for batch in reversed(found):
        for relation in reversed(owned_by(batch.collection)):
            query = {
                relation.field: {"$in": [*batch.ids]},
                "_id": {"$ne": root["_id"]},
                **which,
            }
            done = database[relation.collection].update_many(query, change, session=session)
            changed[relation.collection] += done.modified_count
    return changed


def _refuse_below_deleted(
    database: Database[Document],
    collection: str,
    root: Mapping[str, Any],
    found: list[Owners],
    session: ClientSession | None,
) -> None:
    """Refuse a restore below a deleted parent, unless the parent is below the document itself."""
    below = {(batch.collection, document_id) for batch in found for document_id in batch.ids}
    for relation in parents_of(collection):
        parent_id = root.get(relation.field)
        if not is_id(parent_id) or (relation.parent, parent_id) in below:
            continue
        parent = database[relation.parent].find_one(
            where({"id": parent_id}, "only"), {"_id": True}, session=session
        )
        if parent is not None:
            raise ParentDeleted(
                f"{root['id']!r} of {collection} belongs to {parent_id!r} of {relation.parent}, "
                "which is deleted; restore that one first."
            )
