"""A real PostgreSQL server for tests."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from storycanvas.services.ports import LOOPBACK
from storycanvas.services.postgres import DATABASE, Postgres
from storycanvas.services.shared import acquire

USER = "couple"


@contextmanager
def short_lived_postgres(state_dir: Path) -> Iterator[str]:
    """Use a server of a state directory whose content need not outlive the machine.

    Yields:
        The address of its database, with the password of its owner.

    Raises:
        PostgresUnusable: This machine has none.
        ServiceError: It cannot be set up or started, or does not answer in time.
    """
    server = Postgres(state_dir)
    with acquire(server, state_dir) as lease:
        address = server.with_password(lease.url)
        with psycopg.connect(address, autocommit=True) as opened:
            opened.execute("ALTER SYSTEM SET fsync = off")
            opened.execute("ALTER SYSTEM SET synchronous_commit = off")
            opened.execute("SELECT pg_reload_conf()")
        yield address


@contextmanager
def running_postgres(password: str) -> Iterator[str]:
    """Run an empty server on a free loopback port, and leave nothing of it.

    Args:
        password: What the user has to give; it is in no argument and in no file that stays.

    Yields:
        The address of its database, without the password.

    Raises:
        PostgresUnusable: This machine has none.
        ServiceError: It cannot be set up or started, or does not answer in time.
    """
    with (
        tempfile.TemporaryDirectory(prefix="storycanvas-postgres-") as made,
        short_lived_postgres(Path(made)) as owners,
    ):
        with psycopg.connect(owners, autocommit=True) as opened:
            user, secret = sql.Identifier(USER), sql.Literal(password)
            opened.execute(
                sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}").format(user, secret)
            )
            port = opened.info.port
        yield f"postgresql://{USER}@{LOOPBACK}:{port}/{DATABASE}"
