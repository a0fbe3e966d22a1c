"""How a row of a couple face-swap database becomes a document of StoryCanvas."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self
from uuid import UUID, uuid5

import bson
from bson.errors import BSONError
from pydantic import ValidationError

from db.connection import Document
from db.couple_import.cells import read_cell
from db.couple_import.errors import RowRefused
from db.couple_import.tables import ID, Column, Table
from db.schema.later_names import LATER_NAMES, Fields, NamesDisagree, with_first_names

LARGEST_DOCUMENT = 16 * 1024 * 1024
"""Bytes; MongoDB stores no larger document."""

_NAMESPACE = UUID("5d8f0e63-3c1b-5b0e-9d2a-0c7a5f6b9e14")
"""Never to be changed: with another namespace, a repeated import would store all rows twice."""
_SHOWN = 40


@dataclass(frozen=True)
class SourceRow:
    """A row as the source holds it.

    Attributes:
        number: Its place in the table, from 1; a CSV file's header does not count.
        cells: PostgreSQL's texts by column; None is NULL.
        flaw: Why the row as such cannot be read; empty when it can.
    """

    number: int
    cells: Mapping[str, str | None]
    flaw: str = ""


class Source(Protocol):
    """A couple face-swap database in some form; used as a context, once or several times.

    What cannot be read, or not to its end, raises `ImportFailed`.
    """

    def __enter__(self) -> Self:
        """Open it."""

    def __exit__(self, *_: object) -> None:
        """Close it."""

    def place(self, table: Table) -> str:
        """Name the place where a table is, or would be."""

    def columns(self, table: Table) -> tuple[str, ...] | None:
        """Read what columns a table has; None when the table is missing."""

    def rows(self, table: Table, columns: Sequence[str]) -> Iterator[SourceRow]:
        """Read a table that is there, row after row."""


def new_id(table: str, legacy_id: int) -> str:
    """Derive the `id` of a row: the same in every run and on every machine."""
    return str(uuid5(_NAMESPACE, f"{table}/{legacy_id}"))


def legacy_id_of(row: SourceRow) -> int:
    """Read a row's id; RowRefused when it is not a whole number."""
    if row.flaw:
        raise RowRefused(row.flaw)
    text = row.cells.get(ID)
    try:
        return int(read_cell("integer", text or ""))
    except ValueError as error:
        raise RowRefused(f"its id {error}") from None


def fields_of(table: Table, row: SourceRow) -> Fields:
    """Read a row's cells but its id, by the document's field names; relations stay source ids."""
    read = {
        name: _value(table, column, name, row.cells[name])
        for column in table.columns
        for name in table.names(column)
        if name in row.cells
    }
    try:
        named = with_first_names(table.name, read)
    except NamesDisagree as error:
        raise RowRefused(str(error)) from None
    return dict(_fields(table, named))


def document_of(table: Table, legacy_id: int, fields: Fields) -> Document:
    """Make the complete document that is stored, or refuse the row with the reason."""
    own_id = new_id(table.name, legacy_id)
    try:
        model = table.document.model_validate({**fields, "id": own_id, "legacy_id": legacy_id})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise RowRefused(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    later = LATER_NAMES.get(table.name, {})
    document = {"_id": own_id, **model.model_dump(exclude={*later})}
    _check_storable(document)
    return document


def _value(
    table: Table,
    column: Column,
    name: str,
    text: str | None,
) -> Any:  # noqa: ANN401 - by its kind
    if text is None:
        return None
    try:
        return read_cell(column.kind, text)
    except ValueError as error:
        # In a file whose columns are mixed up, a user's cell may hold the password's hash.
        shown = "" if table.personal else f" {text[:_SHOWN]!r}"
        raise RowRefused(f"{name}{shown} {error}") from None


def _fields(table: Table, named: Fields) -> Iterator[tuple[str, Any]]:
    for column in table.columns:
        if column.name not in named:
            continue
        value = named[column.name]
        if value is None and column.needed:
            raise RowRefused(f"{column.name} is NULL")
        if value is not None or not column.null_is_default:
            yield column.field, value


def _check_storable(document: Document) -> None:
    """Refuse what MongoDB stores in no document, so that one row does not end the whole batch."""
    try:
        size = len(bson.encode(document))
    except (BSONError, ValueError, OverflowError, RecursionError):
        raise RowRefused(
            "it holds a name with a NUL character, a number of more than 8 bytes or a text that "
            "is not UTF-8"
        ) from None
    if size > LARGEST_DOCUMENT:
        raise RowRefused(f"it is larger than the {LARGEST_DOCUMENT} bytes that MongoDB stores")
