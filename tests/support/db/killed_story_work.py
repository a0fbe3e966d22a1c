"""Works on a story and dies, as by kill -9, right before its n-th write."""

import os
from collections.abc import Callable
from datetime import datetime
from multiprocessing import get_context
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from db.soft_delete.purge import Purge
from db.soft_delete.repository import SoftDeletableRepository
from tests.support.db.stories import NOW, OWNER, PROJECT

KILLED = 9
WRITES = {"update", "delete", "commitTransaction"}

Work = Callable[[Database[dict[str, Any]]], object]

_processes = get_context("forkserver")
_processes.set_forkserver_preload(["pymongo", "pydantic"])


class Killer(CommandListener):
    """Counts writes as they leave for the server."""

    def __init__(self, fatal: int) -> None:
        self._left = fatal

    def started(self, event: CommandStartedEvent) -> None:
        self._left -= event.command_name in WRITES
        if self._left == 0:
            os._exit(KILLED)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Go on."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Go on."""


def delete_story(database: Database[dict[str, Any]], now: datetime = NOW) -> None:
    SoftDeletableRepository(database, "projects").soft_delete(PROJECT, OWNER, now)


def restore_story(database: Database[dict[str, Any]]) -> None:
    SoftDeletableRepository(database, "projects").restore(PROJECT)


def purge(database: Database[dict[str, Any]]) -> None:
    work = Purge(database, NOW, dry_run=False)
    work.count()
    work.remove()


def killed(work: Work, url: str, name: str, fatal: int) -> bool:
    """Do some work in a process that dies before its n-th write.

    Returns:
        Whether it died; it does not when it has fewer writes.
    """
    process = _processes.Process(target=_run, args=(work, url, name, fatal))
    process.start()
    process.join(60)
    code = process.exitcode
    process.close()
    assert code in {0, KILLED}
    return code == KILLED


def _run(work: Work, url: str, name: str, fatal: int) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(
        url, event_listeners=[Killer(fatal)], tz_aware=True
    )
    work(client[name])
    client.close()
