"""The configured database, open for as long as a run needs it."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.database import Database

from blocks.configured import story_database
from blocks.environment import Environment
from db.connection import Document


@contextmanager
def opened_database(environment: Environment) -> Iterator[Database[Document]]:
    """Open the configured database and close it again.

    Args:
        environment: Where it is, when no block says so.

    Raises:
        db.errors.DatabaseError: It cannot be opened.
    """
    database = story_database(environment).connect()
    try:
        yield database
    finally:
        database.client.close()
