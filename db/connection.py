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
from pymongo import MongoClient, ReadPreference
from pymongo.database import Database
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)

from db.errors import DatabaseError, DatabaseRefused, DatabaseUnreachable, OperationRefused

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
        if error.code in REFUSALS:
            raise DatabaseRefused(
                "MongoDB refuses this user (error "
                f"{error.code}); check the name, password and roles in MONGO_URL."
            ) from error
        raise OperationRefused(f"MongoDB refused: error {error.code}, {_reason(error)}.") from error
    except PyMongoError as error:
        raise OperationRefused(f"MongoDB failed ({type(error).__name__}).") from error


def _reason(error: OperationFailure) -> str:
    details = error.details or {}
    return str(details.get("codeName") or details.get("errmsg") or "no reason given")
