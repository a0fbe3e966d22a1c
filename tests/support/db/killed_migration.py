"""Migrates in processes that are killed: URL DATABASE RANGE, then a line for each process.

A line names the target and the seconds from the first step to SIGKILL; without seconds the process
comes to its end. Answered with `killed`; with `ended` and the seconds that it took; or with `lost`
when the process was too slow to keep its lock.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from db.connection import connect
from db.errors import MigrationLockLost
from db.migrations.engine import work as id_ranges
from db.migrations.engine.migration import Migration, Step, load_migrations
from db.migrations.engine.migrator import Migrator
from db.migrations.engine.work import Work

MIGRATIONS = load_migrations()
SHORT, LONG = timedelta(seconds=0.12), timedelta(seconds=5)
"""How long the lock of a process holds: the next one has to wait when it was killed."""
LOST = 3


@dataclass(frozen=True)
class Attempt:
    """One process's way to a target."""

    url: str
    name: str
    lease: timedelta
    target: str

    def run(self, begun: Callable[[], None]) -> None:
        """Migrate, and say when the first step begins."""
        database = connect(self.url, self.name)
        migrations = [_saying(migration, begun) for migration in MIGRATIONS]
        migrator = Migrator(database, "killed", migrations, lease=self.lease)
        migrator.apply(self.target)


def _saying(migration: Migration, begun: Callable[[], None]) -> Migration:
    def saying(step: Step) -> Step:
        def say_and_do(work: Work) -> None:
            begun()
            step(work)

        return say_and_do

    down = migration.down and saying(migration.down)
    return replace(migration, up=saying(migration.up), down=down)


def carry_out(attempt: Attempt, seconds: float | None) -> str:
    """Migrate in a process of its own, and kill it."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        _be_killed(attempt, lambda: os.write(writing, b"."))
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    began = time.monotonic()
    if seconds is not None:
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    said = {-signal.SIGKILL: "killed", 0: f"ended {time.monotonic() - began}", LOST: "lost"}
    return said.get(status, "failed")


def _be_killed(attempt: Attempt, begun: Callable[[], object]) -> None:
    said: list[object] = []

    def say_once() -> None:
        if not said:
            said.append(begun())

    try:
        attempt.run(say_once)
    except MigrationLockLost:
        os._exit(LOST)
    except BaseException:  # noqa: BLE001 - a child of a fork must not go on as its parent
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    url, name, size = sys.argv[1:]
    id_ranges.id_ranges.__defaults__ = (int(size),)
    for line in sys.stdin:
        target, *seconds = line.split()
        attempt = Attempt(url, name, SHORT if seconds else LONG, target)
        print(carry_out(attempt, float(seconds[0]) if seconds else None), flush=True)
