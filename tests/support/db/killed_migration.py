"""Migrates in processes that are killed: URL DATABASE RANGE, then a line for each process.

A line holds the target and the seconds from the first step to SIGKILL; without seconds the process
runs to its end. The answer is `killed`; `ended` and the seconds that it took; or `lost` when the
process was too slow to keep its lock.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from db.connection import connect
from db.errors import MigrationLockLost
from db.migrations.engine import work as id_ranges
from db.migrations.engine.migration import Migration, Step, load_migrations
from db.migrations.engine.migrator import Migrator
from db.migrations.engine.work import Work

MIGRATIONS = load_migrations()
SHORT, LONG = timedelta(seconds=0.12), timedelta(seconds=5)
"""How long the lock of a process holds: the next process has to wait after a kill."""
LOST = 3


def _signalling(migration: Migration, started: Callable[[], object]) -> Migration:
    """Let a migration call a function before each of its steps."""

    def signalling(step: Step) -> Step:
        def signal_and_step(work: Work) -> None:
            started()
            step(work)

        return signal_and_step

    down = migration.down and signalling(migration.down)
    return replace(migration, up=signalling(migration.up), down=down)


def migrate_and_kill(url: str, name: str, target: str, seconds: float | None) -> str:
    """Migrate in a process of its own, and kill it some seconds after its first step."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        lease = LONG if seconds is None else SHORT
        _migrate_and_exit(url, name, target, lease, lambda: os.write(writing, b"."))
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    began = time.monotonic()
    if seconds is not None:
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    answers = {-signal.SIGKILL: "killed", 0: f"ended {time.monotonic() - began}", LOST: "lost"}
    return answers.get(status, "failed")


def _migrate_and_exit(
    url: str, name: str, target: str, lease: timedelta, started: Callable[[], object]
) -> None:
    try:
        migrations = [_signalling(migration, started) for migration in MIGRATIONS]
        Migrator(connect(url, name), "killed", migrations, lease=lease).apply(target)
    except MigrationLockLost:
        os._exit(LOST)
    except BaseException:  # noqa: BLE001 - a child of a fork must not go on as its parent
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    url, name, size = sys.argv[1:]
    id_ranges.RANGE_SIZE = int(size)
    for line in sys.stdin:
        target, *seconds = line.split()
        print(
            migrate_and_kill(url, name, target, float(seconds[0]) if seconds else None), flush=True
        )
