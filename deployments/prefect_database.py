"""Where the local Prefect server keeps its runs: in PostgreSQL where one is installed, else SQLite.

SQLite refuses a submit that meets another write, whatever its time-out (docs/prefect.md). Runs that
there are stay where they are: no start hides them without being told to.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from blocks.environment import ConfigurationUnusable
from storycanvas.services.errors import PostgresUnusable, ServiceError
from storycanvas.services.local_service import LocalService
from storycanvas.services.postgres import Postgres, find_programs
from storycanvas.services.prefect import PrefectServer
from storycanvas.services.record import read_note, write_note
from storycanvas.services.shared import find_running, make_private, stop_kept

VARIABLE = "STORYCANVAS_PREFECT_DATABASE"
_NOTE = "database.json"
_SQLITE_FILE = "prefect.db"


class Kind(StrEnum):
    """A database that Prefect's server runs on."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True)
class Used:
    """What the Prefect server of a state directory was started with last.

    Attributes:
        kind: Which database.
        address: Where it is, without a password.
    """

    kind: str
    address: str


@dataclass(frozen=True)
class Choice:
    """Which database the server gets.

    Attributes:
        kind: The database.
        required: Whether the start fails without it.
        remark: What a person should know about it.
    """

    kind: Kind
    required: bool = True
    remark: str | None = None


def choose(named: str | None, before: str | None, missing: str | None) -> Choice:
    """Choose the database.

    Args:
        named: What `STORYCANVAS_PREFECT_DATABASE` says.
        before: Where the runs are that there are; None where there are none.
        missing: Why PostgreSQL cannot be used; None where it can.

    Raises:
        ConfigurationUnusable: The variable names no database.
    """
    if named and named not in set(Kind):
        known = " or ".join(Kind)
        raise ConfigurationUnusable(f"{VARIABLE} is {named!r}; set it to {known}, or not at all.")
    if named:
        other = before if before != named else None
        hidden = f"runs until now are in {other}; set {VARIABLE}={other} to see them again"
        return Choice(Kind(named), remark=hidden if other else None)
    if before:
        faster = f"runs stay in sqlite; {VARIABLE}=postgresql begins anew in PostgreSQL"
        return Choice(Kind(before), remark=None if before != Kind.SQLITE or missing else faster)
    return Choice(Kind.SQLITE if missing else Kind.POSTGRESQL, required=False)


def start_prefect_database(
    state_dir: Path, use: Callable[[LocalService], str], show: Callable[[str], None]
) -> tuple[str | None, str]:
    """Start what the Prefect server keeps its runs in, and note it.

    A server that still runs with another database, or with that one on another port, is ended.

    Args:
        state_dir: Whose server.
        use: Starts a service and gives its address.
        show: Tells a person what is done.

    Returns:
        The address for the server, None for SQLite, and what a person is told of it.

    Raises:
        ServiceError: The database of the runs that there are does not start.
    """
    directory = make_private(state_dir / PrefectServer.name)
    before = _used(directory)
    named = os.environ.get(VARIABLE, "").strip()
    choice = choose(named, before.kind if before else None, _missing())
    if choice.remark:
        show(f"  {choice.remark}")
    used, secret = Used(Kind.SQLITE, str(directory / _SQLITE_FILE)), None
    if choice.kind is Kind.POSTGRESQL:
        postgres = Postgres(state_dir)
        try:
            address = use(postgres)
        except ServiceError as error:
            if choice.required:
                raise
            show(f"  {error} Prefect's runs are kept in SQLite.")
        else:
            used, secret = Used(Kind.POSTGRESQL, address), postgres.with_password(address)
    if before != used and find_running(PrefectServer.name, state_dir):
        stop_kept(PrefectServer.name, state_dir)
    write_note(directory / _NOTE, used)
    return secret, used.address


def _missing() -> str | None:
    try:
        find_programs()
    except PostgresUnusable as error:
        return str(error)
    return None


def _used(directory: Path) -> Used | None:
    noted = read_note(directory / _NOTE, Used)
    if noted is None and (directory / _SQLITE_FILE).exists():
        return Used(Kind.SQLITE, str(directory / _SQLITE_FILE))
    return noted
