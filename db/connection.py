"""Connecting to MongoDB by one policy, with the credentials out of sight."""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import parse_qs

from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from pymongo import MongoClient, ReadPreference
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.errors import (
    DocumentTooLarge as TooLargeToSend,
)

from db.errors import (
    DatabaseError,
    DatabaseNameTaken,
    DatabaseRefused,
    DatabaseUnreachable,
    DocumentTooLarge,
    OperationRefused,
    UnreadableDocument,
)

Document = dict[str, Any]
Part = TypeVar("Part")

TRIES = 5
PAUSE_SECONDS = 3.0
POLICY: dict[str, Any] = {
    "appname": "storycanvas-pipelines",
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 10_000,
    "socketTimeoutMS": 10_000,
    "retryWrites": True,
    "retryReads": True,
}
REFUSALS = {13, 18, 8000}
"""Server error codes for Unauthorized and AuthenticationFailed (8000: the same from Atlas)."""
TOO_LARGE = {10334, 17419, 17420}
"""Server error codes for a document above 16 MB: BSONObjectTooLarge and those of updates."""
NAME_DIFFERS_IN_CASE = 13297
"""Server error code DatabaseDifferCase."""

log = logging.getLogger(__name__)


def connect(
    url: str,
    name: str,
    *,
    pool_size: int = 20,
    tries: int = TRIES,
    pause_seconds: float = PAUSE_SECONDS,
) -> Database[Document]:
    """Open the StoryCanvas database, with aware times in UTC, and make sure that it answers.

    The policy is 5 tries 3 s apart, 5 s for choosing a server, 10 s for connecting and for each
    answer, writes and reads retried by the driver (docs/schema.md, Connection).

    Reads go to the primary, whatever read preference the connection string has: a secondary may
    lag, and records, locks and the ledger decide what is done.
    """
    client = _client(url, pool_size)
    for attempt in range(1, tries + 1):
        try:
            with translated_errors():
                client.admin.command("ping")
                _refuse_other_spelling(client, name)
                return client.get_database(
                    name,
                    codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
                    read_preference=ReadPreference.PRIMARY,
                )
        except DatabaseUnreachable:
            if attempt == tries:
                client.close()
                raise
            log.warning("MongoDB does not answer, try %d of %d.", attempt, tries)
            time.sleep(pause_seconds)
        except DatabaseError:
            client.close()
            raise
    raise DatabaseUnreachable("MongoDB was not tried at all; tries must be 1 or more.")


def _client(url: str, pool_size: int) -> MongoClient[Document]:
    """Make a client; options in the connection string override the policy."""
    given = {name.lower() for name in parse_qs(url.rpartition("?")[2])}
    options = {name: value for name, value in POLICY.items() if name.lower() not in given}
    if "maxpoolsize" not in given:
        options["maxPoolSize"] = pool_size
    try:
        return MongoClient(url, **options)
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise DatabaseRefused(
            "MONGO_URL is not a MongoDB connection string; its form is mongodb://host:port/."
        ) from error


def _refuse_other_spelling(client: MongoClient[Document], name: str) -> None:
    """Refuse a name that differs from an existing database's in case only.

    MongoDB refuses each write to such a database, but answers reads as if it were empty.
    """
    names = client.list_database_names()
    others = [other for other in names if other.lower() == name.lower()]
    if others and name not in others:
        raise DatabaseNameTaken(_NAME_TAKEN.format(name=name, other=others[0]))


_NAME_TAKEN = (
    "There is no database {name!r}, but {other!r}, and MongoDB takes no second name that differs "
    "in case only; set DB_NAME or the block's database to {other!r}."
)


def reading_anything(database: Database[Document]) -> Database[Document]:
    """Get the same database, but reading dates outside of Python's years and broken text.

    Such a date comes as a `bson.datetime_ms.DatetimeMS`.
    """
    return database.with_options(
        CodecOptions(
            tz_aware=True,
            tzinfo=UTC,
            datetime_conversion=DatetimeConversion.DATETIME_AUTO,
            unicode_decode_error_handler="replace",
        )
    )


def in_batches(values: Iterable[Part], size: int) -> Iterator[tuple[Part, ...]]:
    """Cut values into batches of at most `size`, for commands that take so many at once."""
    rest = iter(values)
    while batch := tuple(islice(rest, size)):
        yield batch


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn PyMongo's errors into the project's own."""
    try:
        yield
    except ConnectionFailure as error:
        raise DatabaseUnreachable(
            f"MongoDB does not answer ({type(error).__name__}); start it or correct MONGO_URL."
        ) from error
    except OperationFailure as error:
        raise _refusal(error) from error
    except PyMongoError as error:
        raise OperationRefused(f"MongoDB failed ({type(error).__name__}).") from error
    except TooLargeToSend as error:
        raise DocumentTooLarge(_TOO_LARGE) from error
    except BSONError as error:  # the driver's reader and writer of documents has a tree of its own
        raise UnreadableDocument(
            f"A text or a time of a document cannot be read or written ({type(error).__name__}); "
            "audit-db reads every document and lists those with such fields."
        ) from error


_TOO_LARGE = (
    "A document would be larger than the 16 MB that MongoDB stores; remove from it what is not "
    "needed."
)


def _refusal(error: OperationFailure) -> DatabaseError:
    """Word what the server refused, by the error's code; of several writes the first refused."""
    if isinstance(error, BulkWriteError) and error.details.get("writeErrors"):
        [first, *_] = error.details["writeErrors"]
        error = OperationFailure(str(first.get("errmsg")), first.get("code"), first)
    if error.code in REFUSALS:
        return DatabaseRefused(
            f"MongoDB refuses this user (error {error.code}); check the name, password and roles "
            "in MONGO_URL."
        )
    if error.code in TOO_LARGE:
        return DocumentTooLarge(_TOO_LARGE)
    if error.code == NAME_DIFFERS_IN_CASE:
        return DatabaseNameTaken(
            "The server has a database whose name differs from this one in case only, and refuses "
            "a second one; set DB_NAME or the block's database to the name that is there."
        )
    return OperationRefused(f"MongoDB refused: error {error.code}, {_reason(error)}.")


def _reason(error: OperationFailure) -> str:
    details = error.details or {}
    return str(details.get("codeName") or details.get("errmsg") or "no reason given")
