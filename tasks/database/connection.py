"""The configured database, open for as long as a run needs it, and told what it lacks."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pymongo
from pymongo.database import Database

from blocks.configured import choose_database
from blocks.environment import Environment
from blocks.story_database import StoryDatabase
from db.connection import ANSWER_SECONDS, LONG_ANSWER_SECONDS, Document
from db.errors import DatabaseError
from db.setup.missing import missing_collections, missing_sentence
from storycanvas.gpu.prefect_client import run_log


def named_database(environment: Environment) -> StoryDatabase:
    """Get the configured database, and log which one it is before anything is done to it."""
    choice = choose_database(environment)
    level = logging.INFO if choice.named_by else logging.WARNING
    run_log(__name__).log(level, choice.describe())
    return choice.block


_looked_at: set[str] = set()
"""Places of the databases that this process has looked at."""


def place_of(database: Database[Document]) -> str:
    """Name a database with all servers of its replica set, also those that are down."""
    servers = sorted(map(str, database.client.topology_description.server_descriptions()))
    return f"{database.name} at {', '.join(servers)}"


def warn_of_missing_collections(database: Database[Document]) -> None:
    """Warn of a database that lacks what the app needs, once a process; nothing is created.

    What keeps it from being looked at is for the run's own work to find.
    """
    place = place_of(database)
    if place in _looked_at:
        return
    _looked_at.add(place)
    try:
        with pymongo.timeout(ANSWER_SECONDS):
            missing = missing_collections(database)
    except DatabaseError:
        return
    if missing:
        run_log(__name__).warning(missing_sentence(database, missing))


@contextmanager
def opened_database(
    environment: Environment | None = None, *, as_it_is: bool = False
) -> Iterator[Database[Document]]:
    """Open the configured database for work on whole collections, and close it again.

    The environment names it where no block does, and is read anew when None.

    Args:
        environment: The variables.
        as_it_is: Whether a database that lacks collections is what the run is for.
    """
    block = named_database(environment or Environment())
    database = block.connect(answer_seconds=LONG_ANSWER_SECONDS)
    try:
        if not as_it_is:
            warn_of_missing_collections(database)
        yield database
    finally:
        database.client.close()
