"""What was deleted long enough ago and is kept all the same, because something it owns stays."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from pymongo.database import Database

from db.connection import Document
from db.deletion import deleted_before
from db.owners import parents_of
from db.purge_report import LISTED, KeptDocument
from db.relations import Relation, owned_by

_ANY_ID: Mapping[str, Any] = {"$type": "string", "$gt": ""}
"""An empty or missing id would match every document that has no parent."""


class Keeping:
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
        """Say which documents of a collection are kept, as far as they were looked at."""
        return self._ids[collection]

    def look(self, collection: str, ids: Sequence[str] | None = None) -> None:
        """Find which of the old documents of a collection own something that stays.

        Args:
            collection: Its name.
            ids: Look at these only, at most about a thousand.
        """
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
        parts = [(one.parent, self._not_deleted(one)) for one in parents_of(collection)]
        if not parts:
            return 0
        (parent, pipeline), *others = parts
        united = [{"$unionWith": {"coll": one, "pipeline": part}} for one, part in others]
        counted: list[Document] = [{"$group": {"_id": "$_id"}}, {"$count": "count"}]
        told = self._database[parent].aggregate([*pipeline, *united, *counted], allowDiskUse=True)
        return sum(one["count"] for one in told)

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
        """Note a document and the old ones that it belongs to, directly or not."""
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
            told = self._database[relation.parent].find(query, {"_id": False, "id": True})
            parents += [(relation.parent, str(one["id"])) for one in told]
        return parents

    def _list(self, collection: str, document_id: str, reason: str) -> None:
        if len(self.listed) < LISTED:
            self.listed.append(
                KeptDocument(collection=collection, document_id=document_id, reason=reason)
            )


def _reason(relation: Relation, stays: Mapping[str, Any]) -> str:
    since = stays.get("deleted_at")
    why = "has a deleted_at that cannot be read"
    if since is None:
        why = "is not deleted"
    elif isinstance(since, datetime):
        why = "was deleted later"
    return f"{stays.get('id')!r} of {relation.collection} belongs to it and {why}."
