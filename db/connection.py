"""Connecting to MongoDB by one policy, with the credentials out of sight."""

import logging
import time
from collections.abc import Iterable, Iterator
from datetime import UTC
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import parse_qs

import stamina
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.database import Database
from pymongo.errors import (
    ConfigurationError,
)
from pymongo.read_concern import ReadConcern

from db.connection_string import explain, is_passing
from db.errors import (
    DatabaseError,
    DatabaseNameTaken,
    DatabaseRefused,
    DatabaseUnreachable,
    ServerTooOld,
    translated_errors,
)

__all__ = [
    "ANSWER_SECONDS",
    "LONG_ANSWER_SECONDS",
    "PAUSE_SECONDS",
    "POLICY",
    "TRIES",
    "Document",
    "connect",
    "in_batches",
    "reading_anything",
    "settled",
    "translated_errors",
]

Document = dict[str, Any]
Part = TypeVar("Part")

TRIES = 5
PAUSE_SECONDS = 3.0
ANSWER_SECONDS = 10.0
LONG_ANSWER_SECONDS = 6 * 3600.0
"""For one answer of work on whole collections: building an index, counting, removing."""
MAX_CONFIRMATION_SECONDS = 100.0
"""A write of long work, a range of 16 MB or a removal, is told as not confirmed before that."""
OLDEST_WIRE_VERSION = 17
"""Of MongoDB 6.0 (MongoDB manual, command `hello`)."""
POLICY: dict[str, Any] = {
    "appname": "storycanvas-pipelines",
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 10_000,
    "retryWrites": True,
    "retryReads": True,
}

log = logging.getLogger(__name__)


def connect(
    url: str,
    name: str,
    *,
    pool_size: int = 20,
    answer_seconds: float = ANSWER_SECONDS,
    tries: int = TRIES,
    pause_seconds: float = PAUSE_SECONDS,
) -> Database[Document]:
    """Open the StoryCanvas database, with aware times in UTC, and make sure that it answers.

    The policy is 5 tries 3 s apart, 5 s for choosing a server, 10 s for connecting and for each
    answer, writes and reads retried by the driver (docs/schema.md, Connection).

    Reads go to the primary, whatever read preference the connection string has: a secondary may
    lag, and records, locks and the ledger decide what is done. For the same reason a member of a
    replica set confirms a write only when most members have it.

    Args:
        url: The connection string.
        name: The database.
        pool_size: Most connections.
        answer_seconds: Longest wait for one answer. Work that builds indexes or reads whole
            collections needs hours; a server that is gone is noticed within seconds in any case.
        tries: How often the server is asked; 1 or more.
        pause_seconds: Between two tries; none while stamina is in its test mode.
    """
    client: MongoClient[Document] | None = None
    for attempt in range(1, tries + 1):
        try:
            client = client or _client(url, pool_size, answer_seconds)
            return _opened(client, name, answer_seconds)
        except DatabaseError as error:
            if not isinstance(error, DatabaseUnreachable) or attempt == tries:
                if client:
                    client.close()
                raise
            log.warning("Try %d of %d: %s", attempt, tries, error)
            time.sleep(0.0 if stamina.is_testing() else pause_seconds)
    raise DatabaseUnreachable("MongoDB was not tried at all; tries must be 1 or more.")


def _client(url: str, pool_size: int, answer_seconds: float) -> MongoClient[Document]:
    """Make a client; options in the connection string override the policy.

    Two do not. A wait for long answers is asked for by what needs it. And `timeoutMS` would make
    the driver repeat a read of a server that is gone until that time is over, without a word.
    """
    given = {option.lower() for option in parse_qs(url.rpartition("?")[2])}
    options = {option: value for option, value in POLICY.items() if option.lower() not in given}
    options["timeoutMS"] = None
    if answer_seconds > ANSWER_SECONDS or "sockettimeoutms" not in given:
        options["socketTimeoutMS"] = round(answer_seconds * 1000)
    if "maxpoolsize" not in given:
        options["maxPoolSize"] = pool_size
    try:
        client: MongoClient[Document] = MongoClient(url, **options)
    except (ConfigurationError, ValueError, OSError) as error:
        kind = DatabaseUnreachable if is_passing(error) else DatabaseRefused
        raise kind(explain(url, error)) from error
    if not client.write_concern.acknowledged:
        client.close()
        raise DatabaseRefused(
            "MONGO_URL has w=0, with which MongoDB confirms no write, so nothing could be recorded "
            "for certain; remove w from it."
        )
    return client


def _opened(client: MongoClient[Document], name: str, answer_seconds: float) -> Database[Document]:
    with translated_errors():
        # `hello` of the primary: the connection string may prefer members that take no writes.
        hello = client.get_database("admin", read_preference=ReadPreference.PRIMARY).command(
            "hello"
        )
        if hello["maxWireVersion"] < OLDEST_WIRE_VERSION:
            version = client.admin.command("buildInfo").get("version")
            raise ServerTooOld(
                f"The server is MongoDB {version}; 6.0 or newer is needed, so upgrade it or name "
                "another one in MONGO_URL."
            )
        _refuse_other_spelling(client, name)
    has_members = bool(hello.get("setName")) or hello.get("msg") == "isdbgrid"
    return client.get_database(
        name,
        codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
        read_preference=ReadPreference.PRIMARY,
        # A standalone server would wait for its journal with each write.
        write_concern=_majority(client, answer_seconds) if has_members else None,
    )


def _majority(client: MongoClient[Document], answer_seconds: float) -> WriteConcern:
    """Have most members confirm a write, whatever `w` the connection string has.

    Without a bound, a write would wait for members that are down until the client gives up.
    """
    given = client.write_concern.document
    bound = round(min(answer_seconds, MAX_CONFIRMATION_SECONDS) * 900)
    return WriteConcern("majority", wtimeout=given.get("wtimeout") or bound, j=given.get("j"))


def settled(database: Database[Document]) -> Database[Document]:
    """Get the same database, but reading only what no change of the primary can undo.

    For records that decide what is done and what is not.
    """
    return database.with_options(read_concern=ReadConcern("majority"))


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
