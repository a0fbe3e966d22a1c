"""Writes many documents at once, so that a refused one does not prevent the others."""

from collections.abc import Iterable, Mapping
from typing import Any

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, UpdateMany, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from db.connection import Document, in_batches

Write = InsertOne[Document] | UpdateOne | UpdateMany
Refusals = dict[int, str]
"""Why writes were refused, as sentences, by their place among all."""

LARGEST = 15 * 2**20
"""Bytes of a document that are stored; MongoDB holds 16 MiB, and a command needs some."""
ALREADY_THERE = "It is there already."

BATCH = 5_000
"""Most values of one query or bulk write."""
_DUPLICATE_KEY = 11000
_INVALID = 121


def encoded(document: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the driver's types know no raw ones
    """Encode a document by itself, so that one that cannot be encoded does not prevent the others.

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


def write_all(collection: Collection[Document], writes: Iterable[Write | str]) -> Refusals:
    """Make independent writes; each is done or refused by itself.

    Args:
        collection: Where.
        writes: In any order; a text is the reason why a write cannot be made at all.

    Returns:
        Why some were refused; a duplicate key is `ALREADY_THERE`.

    Raises:
        pymongo.errors.PyMongoError: The server cannot be reached or refuses them all.
    """
    places = [*enumerate(writes)]
    refused = {place: write for place, write in places if isinstance(write, str)}
    possible = [(place, write) for place, write in places if not isinstance(write, str)]
    for batch in in_batches(possible, BATCH):
        try:
            collection.bulk_write([write for _, write in batch], ordered=False)
        except BulkWriteError as error:
            if error.details.get("writeConcernErrors"):
                raise
            for row in error.details["writeErrors"]:
                refused[batch[row["index"]][0]] = _reason(row)
    return refused


def shown(text: str) -> str:
    """Convert an id to text that can be stored and shown: lone surrogates become `?`."""
    return text.encode("utf-8", "replace").decode()


def _reason(refusal: Document) -> str:
    """Describe a refusal without any content of the document."""
    code = refusal.get("code")
    if code == _DUPLICATE_KEY:
        return ALREADY_THERE
    if code == _INVALID:
        return "It does not pass the collection's validator."
    message = str(refusal.get("errmsg", "no reason given")).rstrip(".")
    return f"MongoDB refused it: error {code}, {message[:200]}."
