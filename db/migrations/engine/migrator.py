"""Carrying migrations out, recording them, and proving what they did."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pymongo
from pymongo.database import Database

from db.connection import Document, reading_anything, translated_errors
from db.errors import DatabaseError, MigrationFailed
from db.migrations.engine.check import Check
from db.migrations.engine.lock import LEASE, HeldLock, LockRepository, migration_lock
from db.migrations.engine.migration import LATEST, Direction, Migration, Move, plan_moves
from db.migrations.engine.records import MigrationRecordRepository
from db.migrations.engine.report import MigrationReport, MoveReport
from db.migrations.engine.work import Progress, Work
from db.schema.documents.system import MigrationRecord, MigrationStatus

PASSES = 3
"""How often a migration goes over the documents; the app may write old ones in the meantime."""
TIMEOUT_SECONDS = 24 * 3600.0
"""For one migration; a deadline in the place of the connection's 10 s."""
PENDING_DELETION: dict[Direction, MigrationStatus] = {"up": "running", "down": "reverting"}
ENDED: dict[Direction, MigrationStatus] = {"up": "applied", "down": "reverted"}

log = logging.getLogger(__name__)


def say_nothing(_collection: str, _seen: int, _total: int) -> None:
    """Take a migration's progress and tell nobody."""


@dataclass(frozen=True)
class Migrator:
    """Takes one database up and down.

    Attributes:
        database: The StoryCanvas database.
        run_by: Who migrates, in words that an operator understands.
        migrations: All there are, by number.
        progress: Told how far a migration is.
        lease: How long a killed run keeps others out.
    """

    database: Database[Document]
    run_by: str
    migrations: Sequence[Migration]
    progress: Progress = say_nothing
    lease: timedelta = LEASE

    @property
    def _records(self) -> MigrationRecordRepository:
        return MigrationRecordRepository(self.database)

    @property
    def _anything(self) -> Database[Document]:
        return reading_anything(self.database)

    def look(self, target: str) -> MigrationReport:
        """Say what migrating would do, and write nothing.

        Raises:
            DatabaseError: As `migrate`.
        """
        moves = plan_moves(self.migrations, self._records.by_number(), target)
        with _patience():
            told = tuple(_told(move, move.migration.check(self._anything)) for move in moves)
        return self._report(target, told, dry_run=True)

    def migrate(self, target: str) -> MigrationReport:
        """Bring the database to a state.

        Raises:
            UnknownMigration: There is no such state.
            MigrationChanged: The file of an applied migration was changed.
            MigrationNotReversible: The target lies before one that cannot be undone.
            MigrationRunning: Another run is at it.
            MigrationFailed: A migration ended half way; the record says why.
            DatabaseError: The server cannot be reached or refuses the user.
        """
        plan_moves(self.migrations, self._records.by_number(), target)
        with migration_lock(LockRepository(self.database), self.run_by, self.lease) as lock:
            moves = plan_moves(self.migrations, self._records.by_number(), target)
            done = tuple(self._carry_out(move, lock) for move in moves)
        return self._report(target, done, dry_run=False)

    def look_at(self, number: int) -> MigrationReport:
        """Say what `repeat` would do, and write nothing.

        Args:
            number: Of the migration.

        Raises:
            DatabaseError: As `migrate`.
        """
        move = self._again(number)
        with _patience():
            told = _told(move, move.migration.check(self._anything))
        return self._report(str(number), (told,), dry_run=True)

    def repeat(self, number: int) -> MigrationReport:
        """Carry one migration out, also when it was; the app may have written old documents since.

        Args:
            number: Of the migration.

        Raises:
            DatabaseError: As `migrate`.
        """
        migration = self._again(number).migration
        with _patience():
            before = migration.check(self._anything)
        with migration_lock(LockRepository(self.database), self.run_by, self.lease) as lock:
            done = self._carry_out(self._again(number), lock)
        # The notes tell of earlier times, too.
        counts = {
            name: before.remaining.get(name, count - before.changed.get(name, 0))
            for name, count in done.counts.items()
        }
        done = done.model_copy(update={"counts": counts})
        return self._report(str(number), (done,), dry_run=False)

    def _again(self, number: int) -> Move:
        plan_moves(self.migrations, self._records.by_number(), LATEST)
        return Move(next(one for one in self.migrations if one.number == number), "up")

    def _carry_out(self, move: Move, lock: HeldLock) -> MoveReport:
        """Carry out one migration and record how it ended."""
        lock.ensure_held()
        migration, began = move.migration, time.monotonic()
        told = {"name": migration.name, "checksum": migration.checksum, "run_by": self.run_by}
        record = self._records.begin(
            migration.number, PENDING_DELETION[move.direction], told, datetime.now(UTC)
        )
        work = Work(
            self._anything,
            lock.ensure_held,
            self.progress,
            record.remembered,
            lambda name, value: self._records.remember(migration.number, name, value),
        )
        try:
            with _patience():
                report = _apply_until_clean(move, work)
            lock.ensure_held()
        except Exception as error:
            self._record_failure(record, error, time.monotonic() - began)
            if isinstance(error, DatabaseError):
                raise
            raise MigrationFailed(_failure(migration, error)) from error
        report = report.model_copy(update={"seconds": time.monotonic() - began})
        counts = {name: count for name, count in report.counts.items() if count}
        result = _result(report.seconds, counts=counts)
        self._records.end(record, ENDED[move.direction], result)
        return report

    def _record_failure(self, begun: MigrationRecord, error: Exception, seconds: float) -> None:
        try:
            result = _result(seconds, error=f"{type(error).__name__}: {error}")
            self._records.end(begun, "failed", result)
        except DatabaseError as other:
            log.warning("The failure of %s could not be recorded: %s", begun.name, other)

    def _report(
        self, target: str, moves: tuple[MoveReport, ...], *, dry_run: bool
    ) -> MigrationReport:
        return MigrationReport(
            database=self.database.name, dry_run=dry_run, target=target, moves=moves
        )


@contextmanager
def _patience() -> Iterator[None]:
    """Let commands take longer than the connection's 10 s, and translate errors."""
    with translated_errors(), pymongo.timeout(TIMEOUT_SECONDS):
        yield


def _apply_until_clean(move: Move, work: Work) -> MoveReport:
    """Carry a migration out, and again until there is nothing left of what it is for."""
    migration = move.migration
    act = migration.up if move.direction == "up" else migration.down
    before = migration.check(work.database) if move.direction == "down" else None
    for _ in range(PASSES):
        if act:
            act(work)
        check = migration.check(work.database)
        if check.is_done if move.direction == "up" else check.is_undone:
            return _told(move, before or check, proven=True)
    counts = check.remaining if move.direction == "up" else check.changed
    left = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    raise MigrationFailed(
        f"Migration {migration} went {move.direction} {PASSES} times and left documents: {left}; "
        "run it again when nobody writes to them."
    )


def _told(move: Move, check: Check, *, proven: bool = False) -> MoveReport:
    undone = move.direction == "down"
    return MoveReport(
        number=move.migration.number,
        name=move.migration.name,
        direction=move.direction,
        counts=check.changed if undone or proven else check.remaining,
        unresolved=() if undone else check.unresolved,
    )


def _result(seconds: float, **more: object) -> Document:
    return {"finished_at": datetime.now(UTC), "seconds": seconds, **more}


def _failure(migration: Migration, error: Exception) -> str:
    return (
        f"Migration {migration} ended half way ({type(error).__name__}: {error}); what it has done "
        "is kept, and the next run goes on from there."
    )
