"""A PostgreSQL database, read in one snapshot, so that its tables fit together.

Every value is read as PostgreSQL's text of it, which is also what CSV files hold: both sources
mean the same, and a value that Python has no type for concerns its row alone.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import InsufficientPrivilege, QueryCanceled

from db.couple_import.errors import (
    AddressUnreadable,
    ImportFailed,
    PasswordInAddress,
    SourceRefused,
    SourceUnreachable,
)
from db.couple_import.rows import SourceRow
from db.couple_import.tables import ID, Table

_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"no password supplied"),
        "wants a password; give it by COUPLE_SWAP_POSTGRES_URL, PGPASSWORD or a password file",
    ),
    (
        re.compile(r'authentication failed|role "[^"]*" (does not exist|is not permitted)'),
        "refuses this user and password; correct them",
    ),
    (
        re.compile(r'database "[^"]*" does not exist'),
        "has no database of this name; correct the end of the address",
    ),
    (
        re.compile(r"permission denied for database|pg_hba\.conf"),
        "does not let this user in; allow it by GRANT CONNECT or in pg_hba.conf",
    ),
)
_OTHERWISE = "does not answer; start it, or correct the address"


def explain(words: str) -> ImportFailed:
    """Choose the error for a failed connection; libpq's own message is not repeated."""
    for pattern, reason in _WORDS:
        if pattern.search(words):
            return SourceRefused(f"PostgreSQL {reason}.")
    return SourceUnreachable(f"PostgreSQL {_OTHERWISE}.")


_SECRETS = {
    *("password", "sslpassword", "scram_client_key", "scram_server_key"),
    "oauth_client_secret",
}


def options_of(address: str) -> dict[str, Any]:
    """Read a connection string, a URL or `key=value` pairs."""
    try:
        return conninfo_to_dict(address)
    except (psycopg.Error, UnicodeError):
        # libpq's message may quote the password.
        raise AddressUnreadable(
            "The address is not a PostgreSQL connection string; its form is "
            "postgresql://user@host:port/database."
        ) from None


def refuse_password(address: str) -> None:
    """Refuse a connection string with a password in it, since Prefect shows parameters."""
    if _SECRETS & options_of(address).keys():
        raise PasswordInAddress(
            "The parameter postgres_url has a password in it, and Prefect keeps and shows the "
            "parameters of a run: delete this run, change the password, and give it by "
            "COUPLE_SWAP_POSTGRES_URL, PGPASSWORD or a password file instead."
        )


FETCHED = 1000
"""Rows that are fetched at a time."""

POLICY: dict[str, str] = {
    "application_name": "storycanvas-pipelines",
    "client_encoding": "utf8",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
"""What a connection gets unless the address sets it; times are in seconds."""

_SETTINGS = (
    "SET LOCAL statement_timeout = '5min'",
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL TimeZone = 'UTC'",
)
_COLUMNS = """
    SELECT attname FROM pg_catalog.pg_attribute
    WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


class PostgresSource:
    """A database that is read and never written, in one transaction for each use as a context."""

    def __init__(self, address: str) -> None:
        """Take a connection string; it may hold a password, and is never shown."""
        self._options: dict[str, Any] = POLICY | options_of(address)
        self._opened: psycopg.Connection[tuple[Any, ...]] | None = None

    def __enter__(self) -> Self:
        try:
            opened = psycopg.connect(**self._options)
        except psycopg.Error as error:
            # Neither the error nor its chain may reach a log: it can quote the address.
            failure = explain(str(error))
            raise failure from None
        self._opened = opened
        opened.isolation_level = IsolationLevel.REPEATABLE_READ
        opened.read_only = True
        try:
            with _translated_errors("session"):
                for setting in _SETTINGS:
                    opened.execute(setting)
        except ImportFailed:
            opened.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._opened is not None:
            self._opened.close()
        self._opened = None

    def place(self, table: Table) -> str:
        """Name the table."""
        return f"table {table.name}"

    def columns(self, table: Table) -> tuple[str, ...] | None:
        """Read the columns of a table."""
        with _translated_errors(self.place(table)):
            found = self._connection.execute(_COLUMNS, (table.name,)).fetchall()
        return tuple(name for (name,) in found) or None

    def rows(self, table: Table, columns: Sequence[str]) -> Iterator[SourceRow]:
        """Read a table in the order of its ids, by a cursor of the server."""
        with (
            _translated_errors(self.place(table)),
            self._connection.cursor(name=f"import_{table.name}") as cursor,
        ):
            cursor.itersize = FETCHED
            cursor.execute(_query(table, columns))
            for number, cells in enumerate(cursor, start=1):
                yield SourceRow(number, dict(zip(columns, cells, strict=True)))

    @property
    def _connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._opened is None:
            raise SourceUnreachable("PostgreSQL is read outside of its context; enter it first.")
        return self._opened


def _query(table: Table, columns: Sequence[str]) -> sql.Composed:
    texts = sql.SQL(", ").join(
        sql.SQL("source.{}::text").format(sql.Identifier(name)) for name in columns
    )
    return sql.SQL("SELECT {} FROM {} AS source ORDER BY source.{}").format(
        texts, sql.Identifier(table.name), sql.Identifier(ID)
    )


@contextmanager
def _translated_errors(subject: str) -> Iterator[None]:
    """Turn psycopg's errors into sentences; PostgreSQL's own message may quote a row."""
    try:
        yield
    except psycopg.Error as error:
        failure = _translated(error, subject)
        raise failure from None
    except UnicodeDecodeError:
        raise SourceRefused(
            f"The {subject} holds a text that is not UTF-8; repair it, or import CSV files."
        ) from None


def _translated(error: psycopg.Error, subject: str) -> ImportFailed:
    if isinstance(error, InsufficientPrivilege):
        return SourceRefused(
            f"PostgreSQL does not let this user read the {subject}; allow it by GRANT SELECT."
        )
    if isinstance(error, QueryCanceled):
        return SourceUnreachable(f"PostgreSQL took too long over the {subject}; try again later.")
    if isinstance(error, psycopg.OperationalError):
        return SourceUnreachable(f"The connection to PostgreSQL broke at the {subject}; try again.")
    return SourceRefused(f"PostgreSQL refuses to read the {subject}: error {error.sqlstate}.")
