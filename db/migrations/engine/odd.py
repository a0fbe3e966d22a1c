"""Documents that a migration leaves as they are, since MongoDB could not write them.

Old drivers wrote documents with the same field twice. An update by a pipeline compares the document
before with the one after. MongoDB 6.0.5 notes a changed field once only and aborts when the name
comes again (`document_diff_serialization.cpp`, "Invariant failure result.second"), at every retry.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pymongo.collection import Collection
from pymongo.database import Database

from db.connection import Document, reading_anything
from db.migrations.engine.expressions import Expression, is_a

UNDO = "migration_undo"
"""Field of a document with the undo notes of migrations."""

LARGEST = 7_000_000
"""Bytes of a document that has room for its values once more, as an undo note."""
LARGEST_FOR_SMALL_NOTE = 16 * 1024 * 1024 - 20_000
"""Bytes of a document that has room for a small note; MongoDB takes 16 MiB."""

WITH_ID: Document = {"_id": {"$ne": None}}
"""Finds documents that `$merge` can name; it refuses one whose `_id` is null."""
NULL_ID: Document = {"_id": None}


def has_doubled_field(value: Expression = "$$ROOT") -> Expression:
    """Check whether a name stands twice in a document, or in an object; not inside of its fields.

    Merging keeps one field of each name, so the merged object is smaller. This costs the server
    half of what comparing the names does.
    """
    return {"$ne": [{"$bsonSize": value}, {"$bsonSize": {"$mergeObjects": [value]}}]}


def has_doubled_field_inside(value: Expression) -> Expression:
    """Check an object and the objects in its fields, or the objects in a list.

    Deeper values are written as they were read, and so never compared.
    """
    fields = {"$map": {"input": {"$objectToArray": "$$value"}, "in": "$$this.v"}}
    in_object = {"$or": [has_doubled_field("$$value"), _any_of(fields)]}
    return {
        "$let": {
            "vars": {"value": value},
            "in": {
                "$switch": {
                    "branches": [
                        {"case": {"$eq": [{"$type": "$$value"}, "object"]}, "then": in_object},
                        {"case": {"$isArray": "$$value"}, "then": _any_of("$$value")},
                    ],
                    "default": False,
                }
            },
        }
    }


def _any_of(values: Expression) -> Expression:
    is_object = {"$eq": [{"$type": "$$item"}, "object"]}
    doubled = {"$and": [is_object, has_doubled_field("$$item")]}
    return {"$anyElementTrue": [{"$map": {"input": values, "as": "item", "in": doubled}}]}


@dataclass(frozen=True)
class Oddity:
    """Why some documents cannot be written, and the expression that finds them."""

    what: str
    test: Expression


def _is_larger_than(size: int) -> Expression:
    return {"$gt": [{"$bsonSize": "$$ROOT"}, size]}


TOO_LARGE = "too large for an undo note; make them smaller"


def oddities(
    inside: Iterable[str] = (), largest: int = LARGEST_FOR_SMALL_NOTE
) -> tuple[Oddity, ...]:
    """List why a document may be left; fields that are taken apart are looked at `inside`, too."""
    doubled = [has_doubled_field(), *(has_doubled_field_inside(f"${name}") for name in inside)]
    return (
        Oddity(TOO_LARGE, _is_larger_than(largest)),
        Oddity(
            "with the same field twice, which MongoDB cannot change; write them anew with each "
            "field once",
            {"$or": doubled},
        ),
        Oddity(
            f"whose {UNDO} is not an object, so that nothing can be noted; rename that field",
            {"$not": [is_a(f"${UNDO}", "missing", "object")]},
        ),
    )


NOT_DOUBLED: Document = {"$expr": {"$not": [has_doubled_field()]}}
"""Finds documents that an update by a pipeline may change."""


def writable(odd: Iterable[Oddity]) -> Expression:
    """Check that a document is not odd."""
    return {"$not": [{"$or": [oddity.test for oddity in odd]}]}


def with_the_names_of_the_first(
    collection: Collection[Document], query: Document
) -> Document | None:
    """Build a cheap query for documents without an oddity; None when the query finds none at all.

    The documents have the field names of the first one that `query` finds, and as many fields, so
    that no name stands twice. The server checks that without computing anything: an update of
    small documents takes a third less time than with `writable`. Most documents of a collection
    have the same names; the others are left to `writable`.
    """
    names = {"$map": {"input": {"$objectToArray": "$$ROOT"}, "in": "$$this.k"}}
    stages: list[Document] = [
        {"$match": query},
        {"$limit": 1},
        {"$project": {"_id": False, "names": names}},
    ]
    for first in reading_anything(collection.database)[collection.name].aggregate(stages):
        # In `required` a dot stands between the steps of a path: such a name means another field.
        same = sorted({name for name in first["names"] if name and "." not in name})
        undo = {UNDO: {"bsonType": "object"}}
        schema = {"required": same, "maxProperties": len(same), "properties": undo}
        too_large = _is_larger_than(LARGEST_FOR_SMALL_NOTE)
        return {"$jsonSchema": schema, "$expr": {"$not": [too_large]}}
    return None


WRITABLE = writable(oddities())
"""Checks that a document can be written, with a small note."""


def which_oddity(odd: Iterable[Oddity]) -> Expression:
    """Number the first oddity of a document, from 1 on; 0 if it has none."""
    branches = [{"case": oddity.test, "then": number} for number, oddity in enumerate(odd, 1)]
    return {"$switch": {"branches": branches, "default": 0}}


def collections_among(database: Database[Document], names: Iterable[str]) -> list[str]:
    """Choose the names of collections; a view in the place of one cannot be written to."""
    names = list(names)
    some = {"name": {"$in": names}, "type": "collection"}
    found = {*database.list_collection_names(filter=some)}
    return [name for name in names if name in found]


def is_collection(database: Database[Document], name: str) -> bool:
    """Check that there is a collection of a name, and no view in its place."""
    return bool(collections_among(database, [name]))


BROKEN_TEXT = "\ufffd"
"""Stands in a text that was read for bytes that are not UTF-8; written back, these were lost."""
