"""Removing for good what was deleted long enough ago, with what it owns, children first.

A document goes only when nothing that it owns stays; so what is not deleted, or not deleted long
enough, keeps whatever it belongs to. It may be killed at any moment and be run by any number of
processes at once: the next run removes what is left. What was computed of a document, as the
measures of a character's pictures, goes right before it. Documents that only name a removed one,
such as the ledger or a clip with its character, are not touched, and neither are pictures.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from bson.datetime_ms import DatetimeMS
from pymongo.database import Database

from db.connection import Document, in_batches, reading_anything, translated_errors
from db.schema.relations import DERIVED, Relation, owned_by
from db.soft_delete.marks import UNREADABLE, deleted_before, deleted_since
from db.soft_delete.owned import children_first, is_id, owners, parents_of
from db.soft_delete.report import MAX_EXAMPLES, KeptDocument, PurgeCount, PurgeReport

_ANY_ID: Mapping[str, Any] = {"$type": "string", "$gt": ""}
"""An empty or missing id would match every document that has no parent."""


class RetainedDocuments:
    """Finds the documents that must be kept, and remembers their ids.

    A document is kept when it owns one that is not deleted, that was deleted later than the limit,
    whose `deleted_at` cannot be read, or that is itself kept. Memory grows with what is kept,
    about 100 bytes each, and not with what goes.

    Attributes:
        listed: The first of them, with the reasons.
    """

    def __init__(self, database: Database[Document], limit: datetime) -> None:
        self._database = database
        self._old = deleted_before(limit)
        self._ids: defaultdict[str, set[str]] = defaultdict(set)
        self.listed: list[KeptDocument] = []

    def ids(self, collection: str) -> AbstractSet[str]:
        """Return which documents of a collection are kept, as far as they were scanned."""
        return self._ids[collection]

    def scan(self, collection: str, ids: Sequence[str] | None = None) -> None:
        """Find which of the old documents of a collection own something that stays."""
        which = _ANY_ID if ids is None else {"$in": [*ids]}
        for relation in owned_by(collection):
            pipeline: list[Document] = [
                {"$match": {"id": which, **self._old}},
                {"$lookup": self._one_that_stays(relation)},
                {"$match": {"stays": {"$ne": []}}},
                {"$project": {"_id": False, "id": True, "stays": {"$first": "$stays"}}},
            ]
            for owner in self._database[collection].aggregate(pipeline):
                self._keep(collection, owner["id"], _reason(relation, owner["stays"]))

    def count_not_deleted(self, collection: str) -> int:
        """Count the documents that are not deleted, although what they belong to is old."""
        parts = [
            (relation.parent, self._not_deleted(relation)) for relation in parents_of(collection)
        ]
        if not parts:
            return 0
        (parent, pipeline), *others = parts
        united = [{"$unionWith": {"coll": other, "pipeline": part}} for other, part in others]
        counted: list[Document] = [{"$group": {"_id": "$_id"}}, {"$count": "count"}]
        found = self._database[parent].aggregate([*pipeline, *united, *counted], allowDiskUse=True)
        return sum(document["count"] for document in found)

    def _one_that_stays(self, relation: Relation) -> Document:
        return {
            "from": relation.collection,
            "localField": "id",
            "foreignField": relation.field,
            "pipeline": [
                {"$match": {"$nor": [self._old]}},
                {"$limit": 1},
                {"$project": {"_id": False, "id": True, "deleted_at": True}},
            ],
            "as": "stays",
        }

    def _not_deleted(self, relation: Relation) -> list[Document]:
        lookup = {
            "from": relation.collection,
            "localField": "id",
            "foreignField": relation.field,
            "pipeline": [{"$match": {"deleted_at": None}}, {"$project": {"_id": True}}],
            "as": "child",
        }
        return [
            {"$match": {"id": _ANY_ID, **self._old}},
            {"$lookup": lookup},
            {"$unwind": "$child"},
            {"$replaceRoot": {"newRoot": "$child"}},
        ]

    def _keep(self, collection: str, document_id: str, reason: str) -> None:
        """Keep a document and the old ones that it belongs to, directly or not."""
        found = [(collection, document_id, reason)]
        while found:
            collection, document_id, reason = found.pop()
            if document_id not in self._ids[collection]:
                self._ids[collection].add(document_id)
                self._list(collection, document_id, reason)
                because = f"{document_id!r} of {collection} belongs to it and is kept."
                found += [(*parent, because) for parent in self._parents(collection, document_id)]

    def _parents(self, collection: str, document_id: str) -> list[tuple[str, str]]:
        parents = []
        for relation in parents_of(collection):
            own = self._database[collection].distinct(relation.field, {"id": document_id})
            query = {"id": {**_ANY_ID, "$in": own}, **self._old}
            found = self._database[relation.parent].find(query, {"_id": False, "id": True})
            parents += [(relation.parent, str(document["id"])) for document in found]
        return parents

    def _list(self, collection: str, document_id: str, reason: str) -> None:
        if len(self.listed) < MAX_EXAMPLES:
            self.listed.append(
                KeptDocument(collection=collection, document_id=document_id, reason=reason)
            )


def _reason(relation: Relation, stays: Mapping[str, Any]) -> str:
    since = stays.get("deleted_at")
    why = "has a deleted_at that cannot be read"
    if since is None:
        why = "is not deleted"
    elif isinstance(since, datetime | DatetimeMS):
        why = "was deleted later"
    return f"{stays.get('id')!r} of {relation.collection} belongs to it and {why}."


BATCH = 500
"""Documents removed at once."""

log = logging.getLogger(__name__)


class Purge:
    """Counts what is due, then removes it; both may be repeated after a failure."""

    def __init__(self, database: Database[Document], limit: datetime, *, dry_run: bool) -> None:
        """Choose what is due."""
        # Read for the report and for ids only; each removal states again that it is deleted.
        self._database = reading_anything(database)
        self._limit = limit
        self._dry_run = dry_run
        self._old = deleted_before(limit)
        self._counts: tuple[PurgeCount, ...] = ()
        self._removed: Counter[str] = Counter()

    def count(self) -> PurgeReport:
        """Count by collection what is due and what is kept; nothing is removed."""
        with translated_errors():
            retained = self._scan()
            derived = (self._count_derived(relation, retained) for relation in DERIVED)
            owners = (self._count(name, retained) for name in children_first())
            self._counts = (*derived, *owners)
        return self._report(retained, removal_done=False)

    def remove(self) -> PurgeReport:
        """Remove what is due and report how much it was; `count` comes first."""
        with translated_errors():
            retained = self._scan()
            for name in children_first():
                self._remove(name, retained)
                log.info("Removed from %s: %d.", name, self._removed[name])
        return self._report(retained, removal_done=True)

    def _scan(self) -> RetainedDocuments:
        retained = RetainedDocuments(self._database, self._limit)
        for name in children_first():
            retained.scan(name)
        return retained

    def _count(self, name: str, retained: RetainedDocuments) -> PurgeCount:
        documents = self._database[name]
        kept = len(retained.ids(name))
        return PurgeCount(
            collection=name,
            due=max(0, documents.count_documents(self._old) - kept),
            kept=kept,
            not_deleted=retained.count_not_deleted(name),
            later=documents.count_documents(deleted_since(self._limit)),
            unreadable=documents.count_documents(UNREADABLE),
        )

    def _count_derived(self, relation: Relation, retained: RetainedDocuments) -> PurgeCount:
        """Count what was computed of documents that are due."""
        kept = [*retained.ids(relation.parent)]
        found = self._database[relation.parent].aggregate(
            [
                {"$match": {"id": {**_ANY_ID, "$nin": kept}, **self._old}},
                {
                    "$lookup": {
                        "from": relation.collection,
                        "localField": "id",
                        "foreignField": relation.field,
                        "pipeline": [{"$count": "count"}],
                        "as": "derived",
                    }
                },
                {"$group": {"_id": None, "due": {"$sum": {"$sum": "$derived.count"}}}},
            ]
        )
        return PurgeCount(collection=relation.collection, due=sum(each["due"] for each in found))

    def _remove(self, name: str, retained: RetainedDocuments) -> None:
        found = self._database[name].find(self._old, {"id": True})
        for batch in in_batches(found, BATCH):
            ids = [document["id"] for document in batch if is_id(document.get("id"))]
            if owned_by(name):
                self._remove_owners(name, ids, retained)
                nameless = [document["_id"] for document in batch if not is_id(document.get("id"))]
                self._delete(name, "_id", nameless)
            else:
                self._delete_derived(name, ids)
                self._delete(name, "_id", [document["_id"] for document in batch])

    def _remove_owners(self, name: str, ids: Sequence[str], retained: RetainedDocuments) -> None:
        """Remove documents and what they own, after a last scan for what was added below them."""
        kept = retained.ids(name)
        for batch in reversed(
            owners(
                self._database,
                name,
                [document_id for document_id in ids if document_id not in kept],
            )
        ):
            retained.scan(batch.collection, batch.ids)
            stay = retained.ids(batch.collection)
            gone = [document_id for document_id in batch.ids if document_id not in stay]
            self._delete_derived(batch.collection, gone)
            self._delete(batch.collection, "id", gone)

    def _delete_derived(self, name: str, ids: Sequence[str]) -> None:
        """Remove what was computed of documents that are removed next; a kill leaves no orphan."""
        for relation in DERIVED:
            if relation.parent == name and ids:
                found = self._database[relation.collection].delete_many(
                    {relation.field: {"$in": [*ids]}}
                )
                self._removed[relation.collection] += found.deleted_count

    def _delete(self, name: str, field: str, values: Sequence[Any]) -> None:
        if values:
            query = {field: {"$in": [*values]}, **self._old}
            self._removed[name] += self._database[name].delete_many(query).deleted_count

    def _report(self, retained: RetainedDocuments, *, removal_done: bool) -> PurgeReport:
        return PurgeReport(
            database=self._database.name,
            dry_run=self._dry_run,
            deleted_before=self._limit,
            removal_done=removal_done,
            counts=tuple(self._after(retained)) if removal_done else self._counts,
            kept=tuple(retained.listed),
        )

    def _after(self, retained: RetainedDocuments) -> Iterator[PurgeCount]:
        for count in self._counts:
            known = {"removed": self._removed[count.collection]}
            yield count.model_copy(update={**known, "kept": len(retained.ids(count.collection))})
