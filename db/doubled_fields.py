"""Documents with the same field twice, which old drivers wrote and MongoDB stores.

An update by a pipeline compares the document before with the one after. MongoDB 6.0.5 notes a
changed field once only and aborts when the name comes again (`document_diff_serialization.cpp`,
"Invariant failure result.second"), at every retry. So such documents are left as they are.
"""

from typing import Any

Expression = Any


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
