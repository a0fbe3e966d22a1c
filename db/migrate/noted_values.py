"""Setting fields to values that no rule on the field gives, and setting them back exactly."""

from collections.abc import Iterable, Mapping

from db.connection import Document
from db.migrate.expressions import MISSING, Expression, called, each, is_a, only, when
from db.migrate.field_change import UNDO, note_of, note_path

_ORDER = "order"


def set_and_note(key: str, values: Mapping[str, Expression]) -> list[Document]:
    """Say how fields of a document are set; what they were at first and became is noted in it.

    Args:
        key: Under which key the notes stand, such as `m0004`.
        values: New values by field; `MISSING` takes a field out.
    """
    notes: Document = {
        name: {
            "was": {"$ifNull": [f"{note_path(key, name)}.was", note_of(f"${name}")]},
            "now": note_of(value),
        }
        for name, value in values.items()
    }
    if MISSING in values.values():
        names = each("field", {"$objectToArray": "$$ROOT"}, lambda field: f"{field}.k")
        notes[_ORDER] = {"$ifNull": [note_path(key, _ORDER), names]}
    merged = {"$mergeObjects": [f"${UNDO}.{key}", notes]}
    return [{"$set": {**values, UNDO: {"$mergeObjects": [f"${UNDO}", {key: merged}]}}}]


def restore_noted(key: str, names: Iterable[str]) -> list[Document]:
    """Say how fields of a document become what they were, unless they were written to since.

    Args:
        key: Under which key the notes stand.
        names: The fields.
    """
    return [{"$set": {name: _restored(key, name) for name in names}}]


def in_noted_order(key: str) -> list[Document]:
    """Say how the fields of a document come to stand as they did before one was taken out.

    Args:
        key: Under which key the notes stand.
    """
    order = note_path(key, _ORDER)

    def put(fields: str) -> Expression:
        known = each(
            "name",
            order,
            lambda name: only("field", fields, lambda field: {"$eq": [f"{field}.k", name]}),
        )
        first = {
            "$reduce": {
                "input": known,
                "initialValue": [],
                "in": {"$concatArrays": ["$$value", "$$this"]},
            }
        }
        newer = only("field", fields, lambda field: {"$not": [{"$in": [f"{field}.k", order]}]})
        return {"$arrayToObject": {"$concatArrays": [first, newer]}}

    ordered = called("fields", {"$objectToArray": "$$ROOT"}, put)
    return [{"$replaceWith": when(is_a(order, "array"), ordered, "$$ROOT")}]


def _restored(key: str, name: str) -> Expression:
    note = note_path(key, name)
    untouched = {"$eq": [note_of(f"${name}"), f"{note}.now"]}
    was = when({"$eq": [f"{note}.was", []]}, MISSING, {"$arrayElemAt": [f"{note}.was", 0]})
    return when({"$and": [is_a(note, "object"), untouched]}, was, f"${name}")
