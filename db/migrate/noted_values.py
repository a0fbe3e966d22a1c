"""Setting fields to values that no rule on the field gives, and setting them back exactly."""

from collections.abc import Iterable, Mapping

from db.connection import Document
from db.migrate.expressions import MISSING, Expression, is_a, when
from db.migrate.field_change import add_notes, note_of, note_path


def set_and_note(key: str, values: Mapping[str, Expression]) -> list[Document]:
    """Say how fields of a document are set; what they were and became is noted in it.

    Args:
        key: Under which key the notes stand, such as `m0004`.
        values: New values by field; `MISSING` takes a field out.
    """
    notes = [
        {name: {"was": note_of(f"${name}"), "now": note_of(value)}}
        for name, value in values.items()
    ]
    return [{"$set": {**values, **add_notes(key, notes)}}]


def restore_noted(key: str, names: Iterable[str]) -> list[Document]:
    """Say how fields of a document become what they were, unless they were written to since.

    Args:
        key: Under which key the notes stand.
        names: The fields.
    """
    return [{"$set": {name: _restored(key, name) for name in names}}]


def _restored(key: str, name: str) -> Expression:
    note = note_path(key, name)
    untouched = {"$eq": [note_of(f"${name}"), f"{note}.now"]}
    was = when({"$eq": [f"{note}.was", []]}, MISSING, {"$arrayElemAt": [f"{note}.was", 0]})
    return when({"$and": [is_a(note, "object"), untouched]}, was, f"${name}")
