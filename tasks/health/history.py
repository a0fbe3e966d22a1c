"""The last check that a run has shown, and the history of checks if the database is there."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
import pymongo
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterKey,
    FlowRunFilter,
    FlowRunFilterStartTime,
)
from prefect.exceptions import ObjectNotFound
from pymongo.database import Database

from db.catalog.host_checks import checks_since, last_states, record_checks
from db.connection import Document
from db.errors import DatabaseError
from storycanvas.catalog.health.checks import HostCheck, HostKey
from storycanvas.catalog.health.report import PreviousCheck
from storycanvas.gpu.prefect_client import run_log
from tasks.artifacts import latest_artifact
from tasks.health.probes import ANSWER_SECONDS

TABLE_KEY = "check-hosts"
PICTURE_KEY = "check-hosts-last-day"
PROGRESS_KEY = "check-hosts-progress"
QUEUES_KEY = "check-hosts-queues"

LOOKS_KEPT = timedelta(days=1)
"""How long the table and the progress of a run stay; the history of checks is in the database."""
_MAX_DROPPED = 20
"""Of a run, which adds three: what earlier releases have left goes within a few days."""


def previous_checks(
    rows: Iterable[object], check_id: str | None = None
) -> dict[HostKey, PreviousCheck]:
    """Read the state of each host from rows of the table or of the history.

    The rows may hold anything. Without a `check_id`, each row's own time identifies its check.
    """
    found = {}
    for row in rows:
        if isinstance(row, Mapping) and row.get("name") and row.get("state"):
            key = (str(row.get("kind")), str(row["name"]), str(row.get("address") or ""))
            found[key] = PreviousCheck(str(row["state"]), check_id or str(row.get("checked_at")))
    return found


def shown_hosts() -> dict[HostKey, PreviousCheck]:
    """Read the last run's results from the table that it shows.

    The table is there even if the database is not, so that the database's own end is noticed.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    table = latest_artifact(TABLE_KEY)
    if table is None:
        return {}
    try:
        rows = json.loads(str(table.data))
    except ValueError:
        return {}  # another program's artifact with this key
    return previous_checks(rows, str(table.latest_id)) if isinstance(rows, list) else {}


def shown_at(key: str) -> datetime | None:
    """The time when an artifact was shown last; None if it never was.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    latest = latest_artifact(key)
    return latest.updated if latest else None


def drop_looks_before(moment: datetime) -> None:
    """Delete tables and progress of runs that began before a moment, some at a time.

    A schedule of 30 seconds makes 5,760 a day, and Prefect keeps artifacts without end. What cannot
    be deleted now is deleted by a later run.
    """
    keys = ArtifactFilter(key=ArtifactFilterKey(any_=[TABLE_KEY, PROGRESS_KEY, QUEUES_KEY]))
    runs = FlowRunFilter(start_time=FlowRunFilterStartTime(before_=moment))
    try:
        with get_client(sync_client=True) as client:
            for artifact in client.read_artifacts(
                artifact_filter=keys, flow_run_filter=runs, limit=_MAX_DROPPED
            ):
                with suppress(ObjectNotFound):  # another run deleted it first
                    client.delete_artifact(artifact.id)
    except httpx.HTTPError as error:
        reason = type(error).__name__
        run_log(__name__).warning("Tables of earlier days could not be deleted (%s).", reason)


T = TypeVar("T")
Opened = Database[Document] | None

_DAY = timedelta(days=1)


def kept_hosts(database: Opened) -> dict[HostKey, PreviousCheck]:
    """Read the last check of each host from the history; empty without a database."""
    if database is None:
        return {}
    return previous_checks(_quickly(lambda: [*last_states(database).values()]) or [])


def keep(database: Opened, checks: Sequence[HostCheck], now: datetime) -> bool:
    """Add the checks of a moment in UTC to the history; return whether it took them all."""
    if database is None:
        run_log(__name__).warning("MongoDB cannot be opened, so the history is not kept.")
        return False
    rows = [_row(check, now) for check in checks]

    refused = _quickly(lambda: record_checks(database, rows, now))
    for reason in (refused or {}).values():
        run_log(__name__).warning("A check was not kept: %s", reason)
    return refused is not None and not refused


def last_day(database: Opened, now: datetime) -> Sequence[Mapping[str, Any]] | None:
    """Read the checks of the last 24 hours; None without a database, or if it does not answer."""
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
