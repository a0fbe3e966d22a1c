"""Writing many documents at once, so that one that is refused keeps none of the others out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, UpdateMany, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from db.connection import Document

Write = InsertOne[Document] | UpdateOne | UpdateMany
Refusals = dict[int, str]
"""Why writes were refused, as sentences, by their place among all."""

LARGEST = 15 * 2**20
"""Bytes of a document that are stored; MongoDB holds 16 MiB, and a command needs some."""
ALREADY_THERE = "It is there already."

_BATCH = 5_000
_DUPLICATE_KEY = 11000
_INVALID = 121
_Part = TypeVar("_Part")


def encoded(document: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the driver's types know no raw ones
    """Encode a document by itself, so that one that cannot be keeps no other out.

    Args:
        document: What is to be written; may hold anything.

    Returns:
        The document, encoded; or why it cannot be stored, a sentence of type str.
    """
    try:
        written = bson.encode(document)
    except (BSONError, OverflowError, RecursionError, UnicodeError, ValueError) as error:
        return f"MongoDB cannot hold it ({type(error).__name__})."
    if len(written) > LARGEST:
        return f"It has {len(written)} bytes; MongoDB cannot hold more than {LARGEST}."
    return RawBSONDocument(written)


def write_all(collection: Collection[Document], writes: Iterable[Write]) -> Refusals:
    """Carry out independent writes; each is done or refused by itself.

    Args:
        collection: Where.
        writes: In any order; as many as there are.

    Returns:
        Why some were refused; a duplicate key is `ALREADY_THERE`.

    Raises:
        pymongo.errors.PyMongoError: The server cannot be reached or refuses them all.
    """
    refused: Refusals = {}
    for start, batch in _batches(writes):
        try:
            collection.bulk_write(batch, ordered=False)
        except BulkWriteError as error:
            if error.details.get("writeConcernErrors"):
                raise
            refused |= {start + row["index"]: _reason(row) for row in error.details["writeErrors"]}
    return refused


def shown(text: str) -> str:
    """Bring an id into text that can be stored and shown: lone surrogates become `?`."""
    return text.encode("utf-8", "replace").decode()


def in_batches(values: Sequence[_Part], size: int = _BATCH) -> Iterator[Sequence[_Part]]:
    """Cut into parts.

    Args:
        values: What is cut.
        size: Most values in a part.
    """
    return (values[start : start + size] for start in range(0, len(values), size))


def _batches(writes: Iterable[Write]) -> Iterator[tuple[int, list[Write]]]:
    remaining, start = iter(writes), 0
    while batch := [*islice(remaining, _BATCH)]:
        yield start, batch
        start += len(batch)


def _reason(refusal: Document) -> str:
    """Say why in words that hold nothing of the document."""
    code = refusal.get("code")
    if code == _DUPLICATE_KEY:
        return ALREADY_THERE
    if code == _INVALID:
        return "It does not pass the collection's validator."
    message = str(refusal.get("errmsg", "no reason given")).rstrip(".")
    return f"MongoDB refused it: error {code}, {message[:200]}."
