"""Documents whose parent is not there, or is deleted while they are not."""

from collections.abc import Iterator

from pymongo.database import Database

from db.audit.report import MAX_EXAMPLES, NAME, AuditFinding, named
from db.connection import Document
from db.schema.relations import SOFT_DELETABLE, Relation

_NOT_NULL: Document = {"$expr": {"$ne": [{"$ifNull": ["$reference", None]}, None]}}
_OWNED = "Restore the document in {parent}, or delete these in the app; they are shown nowhere."
_OPTIONAL = "Let {field} name a document of {parent} that is there, or set it to null."
_DERIVED = "Run audit-likeness for all characters: it removes these, which are data about a person."
_OWNED_DELETED = "Delete these in the app too, or restore the document in {parent}."
_OPTIONAL_DELETED = "Nothing, if the deletion was meant; else restore the document in {parent}."


def orphans(database: Database[Document], relation: Relation) -> Iterator[AuditFinding]:
    """Find what points along a relation to nothing, or to something deleted.

    Null and missing are not orphans, and what is itself deleted is ignored. The server brings
    children and parents together by grouping, so no index is needed and memory stays bounded.
    """
    groups = database[relation.collection].aggregate(
        [*_children(relation), *_parents(relation), *_VERDICT],
        collation={"locale": "simple"},
        allowDiskUse=True,
    )
    for group in groups:
        yield _finding(relation, group)


def _children(relation: Relation) -> list[Document]:
    alive = {"deleted_at": None} if relation.collection in SOFT_DELETABLE else {}
    shape = {"_id": 0, "reference": f"${relation.field}", "child": NAME}
    return [{"$match": alive}, {"$project": shape}, {"$match": _NOT_NULL}]


def _parents(relation: Relation) -> list[Document]:
    soft = relation.parent in SOFT_DELETABLE
    deleted = {"$ne": [{"$ifNull": ["$deleted_at", None]}, None]}
    shape = {
        "_id": 0,
        "reference": f"${relation.key}",
        "deleted": deleted if soft else {"$literal": False},
    }
    return [
        {
            "$unionWith": {
                "coll": relation.parent,
                "pipeline": [{"$project": shape}, {"$match": _NOT_NULL}],
            }
        }
    ]


def _parents_that_are(*, deleted: bool) -> Document:
    """Count them; a child has no field `deleted`."""
    return {"$sum": {"$cond": [{"$eq": ["$deleted", deleted]}, 1, 0]}}


_VERDICT: list[Document] = [
    {
        "$group": {
            "_id": "$reference",
            "alive": _parents_that_are(deleted=False),
            "deleted": _parents_that_are(deleted=True),
            "count": {"$sum": {"$cond": [{"$eq": [{"$type": "$child"}, "missing"]}, 0, 1]}},
            "ids": {"$minN": {"input": "$child", "n": MAX_EXAMPLES}},
        }
    },
    {"$match": {"alive": 0, "count": {"$gt": 0}}},
    {"$sort": {"_id": 1}},
    {
        "$group": {
            "_id": {"$gt": ["$deleted", 0]},
            "count": {"$sum": "$count"},
            "ids": {"$firstN": {"input": "$ids", "n": MAX_EXAMPLES}},
        }
    },
]


def _finding(relation: Relation, group: Document) -> AuditFinding:
    deleted = group["_id"]
    if deleted:
        remedy = _OWNED_DELETED if relation.owned else _OPTIONAL_DELETED
    else:
        remedy = _DERIVED if relation.derived else _OWNED if relation.owned else _OPTIONAL
    ids = [named(child) for children in group["ids"] for child in children]
    return AuditFinding(
        kind="child of a deleted parent" if deleted else "orphan",
        collection=relation.collection,
        subject=f"{relation.field} of {relation.parent}",
        count=group["count"],
        ids=tuple(ids[:MAX_EXAMPLES]),
        severity="info" if deleted and not relation.owned else "warning",
        remedy=remedy.format(parent=relation.parent, field=relation.field),
    )
