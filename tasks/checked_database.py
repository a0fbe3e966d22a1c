"""The database as a host among others: opened quickly or not at all, and asked how it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pymongo
from pymongo.database import Database

from blocks.configured import story_database
from blocks.environment import Environment
from blocks.errors import ConfigurationUnusable
from blocks.story_database import StoryDatabase
from catalog.health.address import shown_address
from catalog.health.check import Answer
from catalog.health.probe import Probe, timed
from db.connection import Document, connect, translated_errors
from db.errors import DatabaseError, DatabaseUnreachable
from services.errors import ServiceError
from tasks.host_probes import broken_probe

OPEN_SECONDS = 2.5
"""For opening the database: the ComfyUI servers that it names are asked only then."""

ANSWER_SECONDS = 3.0
"""For each later part of the work with it."""

_DISK_SECONDS = 1.0
"""For what may be missing; with the rest it is less than the limit of a whole check."""

NAME = "mongodb"


def configured_database(environment: Environment) -> StoryDatabase | Probe:
    """Find out where the database is; a probe in trouble if that cannot be told.

    A local server is started where none is configured, which takes seconds.

    Args:
        environment: Where it is, when no block says so.
    """
    try:
        return story_database(environment)
    except (ConfigurationUnusable, ServiceError) as error:
        return broken_probe(NAME, "mongodb", str(error))


@contextmanager
def checked_database(
    configured: StoryDatabase | Probe,
) -> Iterator[tuple[Database[Document] | None, Probe]]:
    """Open the database with one short try, and close it again.

    Args:
        configured: Where it is, or the probe that says why that cannot be told.

    Yields:
        The database, None if it cannot be opened, and the probe that tells how it is.
    """
    if isinstance(configured, Probe):
        yield None, configured
        return
    address = _address(configured)
    try:
        with pymongo.timeout(OPEN_SECONDS):
            url = configured.mongo_url.get_secret_value()
            database = connect(url, configured.db_name, pool_size=4, tries=1)
    except DatabaseError as error:
        yield None, Probe(NAME, "mongodb", address, partial(_not_opened, error))
        return
    try:
        yield database, Probe(NAME, "mongodb", address, partial(ask_database, database))
    finally:
        database.client.close()


def ask_database(database: Database[Document]) -> Answer:
    """Ask a database whether it answers, for its version and for the room on its disk."""
    try:
        with pymongo.timeout(ANSWER_SECONDS), translated_errors():
            _, latency = timed(lambda: database.command("ping"))
            version = database.command("buildInfo").get("version")
    except DatabaseError as error:
        return _not_opened(error)
    answer = Answer(latency_ms=latency, version=str(version))
    return answer.model_copy(update={"free_disk_bytes": _free_disk(database)})


def _free_disk(database: Database[Document]) -> int | None:
    """Read what `dbStats` tells of the disk; not every user may ask, nor every server tell."""
    try:
        with pymongo.timeout(_DISK_SECONDS), translated_errors():
            told = database.command("dbStats")
    except DatabaseError:
        return None
    total, used = told.get("fsTotalSize"), told.get("fsUsedSize")
    if not total or used is None:  # 0 for a database that does not exist yet
        return None
    return max(int(total - used), 0)


def _not_opened(error: DatabaseError) -> Answer:
    state = "down" if isinstance(error, DatabaseUnreachable) else "error"
    return Answer(state=state, note=str(error))


def _address(block: StoryDatabase) -> str:
    scheme, _, rest = shown_address(block.mongo_url.get_secret_value()).partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{block.db_name}"
