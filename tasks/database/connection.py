"""The configured database, open for as long as a run needs it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.database import Database

from blocks.configured import choose_database
from blocks.environment import Environment
from blocks.story_database import StoryDatabase
from db.connection import LONG_ANSWER_SECONDS, Document
from storycanvas.gpu.prefect_client import run_log


def named_database(environment: Environment) -> StoryDatabase:
    """Get the configured database, and log which one it is before anything is done to it."""
    choice = choose_database(environment)
    level = logging.INFO if choice.named_by else logging.WARNING
    run_log(__name__).log(level, choice.describe())
    return choice.block


@contextmanager
def opened_database(environment: Environment | None = None) -> Iterator[Database[Document]]:
    """Open the configured database for work on whole collections, and close it again.

    The environment names it where no block does, and is read anew when None.
    """
    block = named_database(environment or Environment())
    database = block.connect(answer_seconds=LONG_ANSWER_SECONDS)
    try:
        yield database
    finally:
        database.client.close()
