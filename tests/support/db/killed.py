"""Work in a process that ends, as by kill -9, right before its n-th write.

Each attempt is a fork of one warmed process that has everything imported, so it starts within
milliseconds; the test's own process cannot be forked, since it has threads.
"""

import os
from collections.abc import Callable
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from db.couple_import.csv_source import CsvSource
from db.couple_import.run import import_tables
from db.couple_rows import CouplePictures
from db.ledger import record_operation
from db.soft_delete.purge import Purge
from db.soft_delete.repository import SoftDeletableRepository
from tests.support.db import records
from tests.support.db.database_state import Data
from tests.support.db.stories import NOW, OWNER, PROJECT

KILLED = 9
WRITES = {"insert", "update", "delete", "commitTransaction"}

Work = Callable[[Data], object]

_processes = get_context("forkserver")
_processes.set_forkserver_preload([__name__])


class Killer(CommandListener):
    """Counts writes as they leave for the server."""

    def __init__(self, fatal: int) -> None:
        self._left = fatal

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in WRITES:
            self._left -= 1
            if self._left == 0:
                os._exit(KILLED)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Go on."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Go on."""


def delete_story(database: Data, now: datetime = NOW) -> None:
    SoftDeletableRepository(database, "projects").soft_delete(PROJECT, OWNER, now)


def restore_story(database: Data) -> None:
    SoftDeletableRepository(database, "projects").restore(PROJECT)


def purge_story(database: Data) -> None:
    work = Purge(database, NOW, dry_run=False)
    work.count()
    work.remove()


def record_operation_once(database: Data) -> None:
    record_operation(database, records.record(), records.NOW)


def add_template_once(database: Data) -> None:
    CouplePictures(database).add_template(records.template(), records.NOW)


def import_folder(folder: Path, database: Data) -> None:
    import_tables(database, CsvSource(folder))


def killed(work: Work, url: str, name: str, fatal: int) -> bool:
    """Do some work in a process that is killed before its n-th write, if it has so many."""
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
