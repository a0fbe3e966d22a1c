"""The configured database, open for as long as a run needs it."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.database import Database

from blocks.configured import story_database
from blocks.environment import Environment
from db.connection import Document


@contextmanager
def opened_database(environment: Environment | None = None) -> Iterator[Database[Document]]:
    """Open the configured database and close it again.

    The environment names it where no block does, and is read anew when None.
    """
    database = story_database(environment or Environment()).connect()
    try:
        yield database
    finally:
        database.client.close()
