"""A row of a table becomes a document of StoryCanvas."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import bson
from bson.errors import BSONError
from pydantic import ValidationError

from db.connection import Document
from db.couple_import.cells import read_cell
from db.couple_import.errors import RowRefused
from db.couple_import.tables import ID, Column, Table

Fields = dict[str, Any]

LARGEST_DOCUMENT = 16 * 1024 * 1024
"""Bytes; MongoDB stores no larger one."""

_NAMESPACE = UUID("5d8f0e63-3c1b-5b0e-9d2a-0c7a5f6b9e14")
"""Never to be changed: with another one, what is imported again would be there twice."""
_SHOWN = 40


@dataclass(frozen=True)
class SourceRow:
    """A row as the source tells it.

    Attributes:
        number: Its place in the table, from 1; a CSV file's header does not count.
        cells: PostgreSQL's texts by column; None is NULL.
        flaw: Why the row as such cannot be read; empty when it can.
    """

    number: int
    cells: Mapping[str, str | None]
    flaw: str = ""


def new_id(table: str, legacy_id: int) -> str:
    """Say which `id` a row gets: the same in every run and on every machine."""
    return str(uuid5(_NAMESPACE, f"{table}/{legacy_id}"))


def legacy_id_of(row: SourceRow) -> int:
    """Read a row's id.

    Raises:
        RowRefused: The row is broken, or its id is no whole number.
    """
    if row.flaw:
        raise RowRefused(row.flaw)
    text = row.cells.get(ID)
    try:
        return int(read_cell("integer", text or ""))
    except ValueError as error:
        raise RowRefused(f"its id {error}") from None


def fields_of(table: Table, row: SourceRow) -> Fields:
    """Read a row's cells but its id.

    Args:
        table: Whose row it is.
        row: A row without a flaw; columns that the source lacks are left out.

    Returns:
        Values by the document's field names; relations are still the ids of the source.

    Raises:
        RowRefused: A cell is no value of its column, or is NULL where that is not allowed.
    """
    return {
        column.field: value
        for column in table.columns
        if column.name in row.cells
        and ((value := _value(table, column, row)) is not None or not column.null_is_default)
    }


def document_of(table: Table, legacy_id: int, fields: Fields) -> Document:
    """Make the document that is stored.

    Args:
        table: Whose row it is.
        legacy_id: The row's id.
        fields: The other values, relations resolved.

    Returns:
        A complete document that the collection's validator takes.

    Raises:
        RowRefused: The document's model or MongoDB takes no such value.
    """
    own_id = new_id(table.name, legacy_id)
    try:
        model = table.document.model_validate({**fields, "id": own_id, "legacy_id": legacy_id})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise RowRefused(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    document = {"_id": own_id, **model.model_dump()}
    _check_storable(document)
    return document


def _value(table: Table, column: Column, row: SourceRow) -> Any:  # noqa: ANN401 - by its kind
    text = row.cells[column.name]
    if text is None:
        if column.needed:
            raise RowRefused(f"{column.name} is NULL")
        return None
    try:
        return read_cell(column.kind, text)
    except ValueError as error:
        # In a file whose columns are mixed up, a user's cell may hold the password's hash.
        shown = "" if table.personal else f" {text[:_SHOWN]!r}"
        raise RowRefused(f"{column.name}{shown} {error}") from None


def _check_storable(document: Document) -> None:
    """Find what MongoDB takes in no document, so that one row does not end the whole batch."""
    try:
        size = len(bson.encode(document))
    except (BSONError, ValueError, OverflowError, RecursionError):
        raise RowRefused(
            "it holds a name with a NUL character, a number of more than 8 bytes or a text that "
            "is not UTF-8"
        ) from None
    if size > LARGEST_DOCUMENT:
        raise RowRefused(f"it is larger than the {LARGEST_DOCUMENT} bytes that MongoDB stores")
