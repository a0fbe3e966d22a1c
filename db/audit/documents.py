"""Documents that their model refuses, counted by reason."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import Any, cast

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pymongo.database import Database

from db.audit.report import (
    MAX_EXAMPLES,
    AuditFinding,
    ValidatedCount,
    name_of,
    shortened,
)
from db.connection import Document
from db.schema.collections import Collection
from db.users import is_merged

Reason = tuple[str, str]
"""Path of a field, list indexes and free keys left out, and what is wrong with it."""

_QUOTES_A_VALUE = {
    "union_tag_invalid": "Input has a tag that is none of those expected",
    "value_error": "Input is refused by the model",
    "assertion_error": "Input is refused by the model",
}
_ITEM = "[]"
_FREE_KEY = "*"


def reasons(model: type[BaseModel], document: Document) -> set[Reason]:
    """Find each reason why a document is invalid as it is stored.

    Nothing is converted, except that 3.0 is a whole number.
    """
    errors = _errors(model, document)
    # Converting costs as much as validating, and hardly any document needs it.
    if any(map(_may_be_a_whole_number, errors)):
        document = _with_whole_numbers(document)
        errors = _errors(model, document)
    fields = _fields(model) if errors else frozenset()
    return {
        (
            _path(error["loc"], document, fields, error["type"]),
            _QUOTES_A_VALUE.get(error["type"], error["msg"]),
        )
        for error in errors
    }


def _errors(model: type[BaseModel], document: Document) -> list[ErrorDetails]:
    try:
        model.model_validate(document, strict=True)
    except ValidationError as error:
        return error.errors(include_url=False, include_context=False)
    return []


def _may_be_a_whole_number(error: ErrorDetails) -> bool:
    """Whether a double without fraction may be the reason: it is the value, or is inside of it."""
    value = error["input"]
    is_whole = isinstance(value, float) and value.is_integer()
    return is_whole or error["type"] in _QUOTES_A_VALUE


def _with_whole_numbers(value: Any) -> Any:  # noqa: ANN401 - whatever is stored
    """Read a double without fraction as the whole number that a shell meant by it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _with_whole_numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(part) for part in value]
    return value


def _path(
    location: tuple[int | str, ...], document: Document, fields: frozenset[str], kind: str
) -> str:
    """Turn an error's location into a path, without the names of a union's branches."""
    here: Any = document
    path = ""
    for number, part in enumerate(location, 1):
        if isinstance(part, int):
            path += _ITEM
            here = here[part] if isinstance(here, list) and part < len(here) else None
            continue
        there = isinstance(here, dict) and part in here
        unexpected = kind == "extra_forbidden" and number == len(location)
        if part in fields or part == "[key]" or unexpected:
            path += f".{part}"
        elif there:
            path += f".{_FREE_KEY}"
        here = here[part] if there else here
    return shortened(path.lstrip("."))


@cache
def _fields(model: type[BaseModel]) -> frozenset[str]:
    """Name every field of a model and of the models inside of it, as they are stored."""
    schema = model.model_json_schema(by_alias=True)
    parts = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for part in parts for name in part.get("properties", {}))


REASONS = 50
"""Reasons of a collection that are listed; the documents of all others are counted together."""

_OTHERS: Reason = ("other fields", "reasons beyond the first that are listed")
_INVALID_DOCUMENTS_REMEDY = (
    "Correct the field in these documents; docs/database.md describes each field."
)


class Validation:
    """The reasons of one collection's invalid documents; memory does not grow with them."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._counts: Counter[Reason] = Counter()
        self._ids: defaultdict[Reason, list[str]] = defaultdict(list)
        self._documents = 0
        self._validated = 0

    def run(self, database: Database[Document], sample_size: int | None) -> Iterator[AuditFinding]:
        """Validate a random sample of `sample_size` documents, or all when it is None.

        The most frequent reason comes first.
        """
        name = self._collection.name
        self._documents = database[name].estimated_document_count()
        sampled = sample_size is not None and self._documents > sample_size
        sample: list[Document] = [{"$sample": {"size": sample_size}}] if sampled else []
        for document in read_ahead(database, name, sample):
            # A merged user keeps its old fields, so that undoing the migration restores it.
            if not is_merged(document):
                self._note(document)
        for reason, count in self._counts.most_common():
            yield self._finding(reason, count)

    @property
    def coverage(self) -> ValidatedCount:
        """How much was validated so far."""
        return ValidatedCount(
            collection=self._collection.name,
            documents=max(self._documents, self._validated),
            validated=self._validated,
        )

    def _note(self, document: Document) -> None:
        self._validated += 1
        found = reasons(self._collection.document, document)
        known = {reason for reason in found if reason in self._counts}
        room = max(REASONS - len(self._counts), 0)
        new = sorted(found - known)
        for reason in {*known, *new[:room], *([_OTHERS] if new[room:] else [])}:
            self._counts[reason] += 1
            if len(self._ids[reason]) < MAX_EXAMPLES:
                self._ids[reason].append(name_of(document))

    def _finding(self, reason: Reason, count: int) -> AuditFinding:
        path, message = reason
        return AuditFinding(
            kind="invalid document",
            collection=self._collection.name,
            subject=f"{path}: {message}",
            count=count,
            ids=tuple(self._ids[reason]),
            remedy=_INVALID_DOCUMENTS_REMEDY,
        )


# Twice as fast as times with a zone, of which a document may hold hundreds; no model asks for one.
_PLAIN_TIMES: CodecOptions[Document] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO, unicode_decode_error_handler="replace"
)


def read_ahead(
    database: Database[Document], collection: str, pipeline: list[Document]
) -> Iterator[Document]:
    """Read documents one after another, with times without a zone, which are UTC.

    The next batch is fetched by another thread, so that server and caller work at the same time;
    two batches at most, 16 MB each, are in memory.
    """
    batches = database[collection].aggregate_raw_batches(pipeline, allowDiskUse=True)

    def fetch() -> bytes | None:
        return cast("bytes | None", next(batches, None))

    # The deadline of the caller holds in the other thread too.
    context = copy_context()
    with batches, ThreadPoolExecutor(1) as other:
        ahead = other.submit(context.run, fetch)
        while (batch := ahead.result()) is not None:
            ahead = other.submit(context.run, fetch)
            yield from bson.decode_iter(batch, _PLAIN_TIMES)
