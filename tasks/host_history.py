"""The history of checks in the database, as far as the database is there."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pymongo
from pymongo.database import Database

from catalog.health.changes import Seen
from catalog.health.check import HostCheck, HostKey
from db.catalog.checks import checks_since, last_states, record_checks
from db.connection import Document
from db.errors import DatabaseError
from tasks.checked_database import ANSWER_SECONDS
from tasks.host_states import seen_hosts
from tasks.run_log import run_log

T = TypeVar("T")
Opened = Database[Document] | None

_DAY = timedelta(days=1)


def kept_hosts(database: Opened) -> dict[HostKey, Seen]:
    """Read what the last check of each host found; nothing without a database."""
    if database is None:
        return {}
    return seen_hosts(_quickly(lambda: [*last_states(database).values()]) or [])


def keep(database: Opened, checks: Sequence[HostCheck], now: datetime) -> bool:
    """Add checks to the history.

    Args:
        database: None if it cannot be opened.
        checks: What one look found.
        now: When, UTC.

    Returns:
        Whether the database took them; the log says if it did not.
    """
    if database is None:
        run_log(__name__).warning("MongoDB cannot be opened, so the history is not kept.")
        return False
    rows = [_row(check, now) for check in checks]

    refused = _quickly(lambda: record_checks(database, rows, now))
    for reason in (refused or {}).values():
        run_log(__name__).warning("A check was not kept: %s", reason)
    return refused is not None and not refused


def last_day(database: Opened, now: datetime) -> Sequence[Mapping[str, Any]] | None:
    """Read the checks of the last 24 hours; None without a database, or if it does not tell."""
    if database is None:
        return None
    return _quickly(lambda: checks_since(database, now - _DAY))


def _quickly(work: Callable[[], T]) -> T | None:
    try:
        with pymongo.timeout(ANSWER_SECONDS):
            return work()
    except DatabaseError as error:
        run_log(__name__).warning("The history is left out: %s", error)
        return None


def _row(check: HostCheck, now: datetime) -> dict[str, Any]:
    return {**check.model_dump(), "is_up": check.is_up, "checked_at": now}
