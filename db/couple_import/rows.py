"""The tables of a couple face-swap database, and how a row becomes a document of StoryCanvas."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self
from uuid import UUID, uuid5

import bson
from bson.errors import BSONError
from pydantic import BaseModel, ValidationError

from db.connection import Document
from db.couple_import.cells import Kind, read_cell
from db.couple_import.errors import RowRefused
from db.schema.documents.couple_swap import (
    CoupleImage,
    CoupleTemplate,
    CrawlTask,
    FaceswapTask,
    User,
)
from db.schema.relations import RELATIONS

ID = "id"
"""The SERIAL column that every table has; it becomes `legacy_id`."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        needed: Whether it is NOT NULL and has no default.
        null_is_default: Whether NULL becomes the default of the document, which takes no null.
        renamed: What the document calls it, where that differs.
    """

    name: str
    kind: Kind = "text"
    needed: bool = False
    null_is_default: bool = False
    renamed: str = ""

    @property
    def field(self) -> str:
        """What the document calls it."""
        return self.renamed or self.name


@dataclass(frozen=True)
class Table:
    """A table, and the collection of the same name.

    Attributes:
        single: The relation that only one row may have to the same parent.
        personal: Whether its values are kept out of every message.
    """

    name: str
    document: type[BaseModel]
    columns: tuple[Column, ...]
    single: str = ""
    personal: bool = False

    @property
    def relations(self) -> dict[str, str]:
        """Its foreign keys, each with the table that it points into."""
        return {
            relation.field: relation.parent
            for relation in RELATIONS
            if relation.collection == self.name
        }

    @property
    def column_names(self) -> tuple[str, ...]:
        """What its columns are called, the id first."""
        return (ID, *(column.name for column in self.columns))

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns without which none of its rows can be placed."""
        return (ID, *(column.name for column in self.columns if column.needed))


USERS = Table(
    "users",
    User,
    (
        Column("email", "email", needed=True),
        Column("username", "lowered", needed=True),
        Column("password_hash", needed=True, renamed="hashed_password"),
        Column("created_at", "timestamp"),
    ),
    personal=True,
)
IMAGES = Table(
    "images",
    CoupleImage,
    (
        Column("user_id", "integer"),
        Column("filename", needed=True),
        Column("storage_path", needed=True),
        Column("file_size", "integer"),
        Column("width", "integer"),
        Column("height", "integer"),
        Column("image_type"),
        Column("category"),
        Column("tags", "array", null_is_default=True),
        Column("uploaded_at", "timestamp"),
        Column("metadata", "json", null_is_default=True),
    ),
)
TEMPLATES = Table(
    "templates",
    CoupleTemplate,
    (
        Column("image_id", "integer"),
        Column("title", needed=True),
        Column("description"),
        Column("artist"),
        Column("source_url"),
        Column("face_count", "integer"),
        Column("face_positions", "json"),
        Column("popularity_score", "integer"),
        Column("is_active", "boolean"),
        Column("created_at", "timestamp"),
    ),
    single="image_id",
)
FACESWAP_TASKS = Table(
    "faceswap_tasks",
    FaceswapTask,
    (
        Column("user_id", "integer"),
        Column("template_id", "integer"),
        Column("husband_image_id", "integer"),
        Column("wife_image_id", "integer"),
        Column("result_image_id", "integer"),
        Column("status", null_is_default=True),
        Column("progress", "integer", null_is_default=True),
        Column("error_message"),
        Column("processing_time", "float"),
        Column("started_at", "timestamp"),
        Column("completed_at", "timestamp"),
        Column("created_at", "timestamp"),
    ),
)
CRAWL_TASKS = Table(
    "crawl_tasks",
    CrawlTask,
    (
        Column("source_type"),
        Column("search_query"),
        Column("filters", "json", null_is_default=True),
        Column("status", null_is_default=True),
        Column("images_collected", "integer", null_is_default=True),
        Column("created_at", "timestamp"),
    ),
)

TABLES = (USERS, IMAGES, TEMPLATES, FACESWAP_TASKS, CRAWL_TASKS)
"""All tables, each after those that its rows point into."""


Fields = dict[str, Any]

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
    return {
        column.field: value
        for column in table.columns
        if column.name in row.cells
        and ((value := _value(table, column, row)) is not None or not column.null_is_default)
    }


def document_of(table: Table, legacy_id: int, fields: Fields) -> Document:
    """Make the complete document that is stored, or refuse the row with the reason."""
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
