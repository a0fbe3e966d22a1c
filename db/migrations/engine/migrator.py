"""Applying migrations, recording them, and proving what they did."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pymongo.database import Database

from db.connection import Document, reading_anything, translated_errors
from db.errors import DatabaseError, MigrationFailed
from db.migrations.engine.check import (
    Check,
    Direction,
    MigrationReport,
    MoveReport,
    left_views,
)
from db.migrations.engine.fields import forget
from db.migrations.engine.lock import LEASE, HeldLock, LockRepository, migration_lock
from db.migrations.engine.migration import (
    LATEST,
    Migration,
    Move,
    expiring_by,
    plan_moves,
    refuse_expiring,
)
from db.migrations.engine.odd import UNDO
from db.migrations.engine.records import MigrationRecordRepository
from db.migrations.engine.work import Progress, Work
from db.schema.documents.system import MigrationRecord, MigrationStatus
from db.setup.compare import collection_names

PASSES = 3
"""How often a migration goes over the documents; the app may write old ones in the meantime."""
BEGUN: dict[Direction, MigrationStatus] = {"up": "running", "down": "reverting"}
ENDED: dict[Direction, MigrationStatus] = {"up": "applied", "down": "reverted"}

log = logging.getLogger(__name__)


def no_progress(_collection: str, _done: int, _total: int) -> None:
    """Ignore a migration's progress."""


@dataclass(frozen=True)
class Migrator:
    """Takes one database up and down.

    `repeat` names one migration that is to go up even if it is applied, because the app may have
    written old documents since; going to `latest` does so with all that are repeatable. `accept`
    removes the undo notes of all applied migrations, which then cannot be undone.

    Attributes:
        run_by: Who migrates, in words that an operator understands.
        lease: How long the lock of a killed run stays valid.
        keep_ttl: Whether migrations may change the fields of TTL indexes, by which MongoDB then
            removes documents.
    """

    database: Database[Document]
    run_by: str
    migrations: Sequence[Migration]
    progress: Progress = no_progress
    lease: timedelta = LEASE
    keep_ttl: bool = False

    def applied(self) -> tuple[MigrationRecord, ...]:
        """Read the records of the applied migrations, the oldest first."""
        records = sorted(self._records.by_number().items())
        return tuple(record for _, record in records if record.status == "applied")

    def pending(self, target: str = LATEST, *, repeat: bool = False) -> tuple[Move, ...]:
        """Plan what `apply` would do now; the target is `latest` or a migration's number."""
        moves = plan_moves(self.migrations, self._records.by_number(), LATEST if repeat else target)
        if not repeat:
            return moves
        return tuple(Move(item, "up") for item in self.migrations if str(item.number) == target)

    def dry_run(
        self, target: str = LATEST, *, repeat: bool = False, accept: bool = False
    ) -> MigrationReport:
        """Report what is applied and what `apply` would change, and write nothing."""
        moves = self.pending(target, repeat=repeat)
        carried_out = [*moves]
        with translated_errors():
            reports = [_report_of(move, _checked(move.migration, self._tolerant)) for move in moves]
            for move in self._repeatable(target, repeat=repeat):
                found = _checked(move.migration, self._tolerant)
                if not found.is_done:
                    reports.append(_repetition(_report_of(move, found)))
                    carried_out.append(move)
            noted = self._noted() if accept else None
            expiring = expiring_by(self.database, carried_out)
        applied = tuple(
            f"Migration {record.number} ({record.name}) was applied at "
            f"{record.finished_at or record.started_at:%Y-%m-%d %H:%M} UTC by {record.run_by}."
            for record in self.applied()
        )
        report = self._report(target, reports, applied=applied, accepted=noted, dry_run=True)
        return report.model_copy(update={"expiring": expiring})

    def apply(
        self, target: str = LATEST, *, repeat: bool = False, accept: bool = False
    ) -> MigrationReport:
        """Bring the database to a state; if a migration fails, its record holds the reason."""
        self.pending(target, repeat=repeat)  # A wrong target is refused without taking the lock.
        with migration_lock(LockRepository(self.database), self.run_by, self.lease) as lock:
            # Planned again, since a run that held the lock before may have changed the records.
            moves = self.pending(target, repeat=repeat)
            again = self._repeatable(target, repeat=repeat)
            self._refuse_expiring(moves)
            reports = [self._run(move, lock, repeat=repeat) for move in moves]
            for move in again:
                lock.ensure_held()
                with translated_errors():
                    is_done = _checked(move.migration, self._tolerant).is_done
                if not is_done:
                    self._refuse_expiring([move])
                    reports.append(_repetition(self._run(move, lock, repeat=True)))
            accepted = self._accept(lock) if accept else None
        return self._report(target, reports, accepted=accepted, dry_run=False)

    def _refuse_expiring(self, moves: Sequence[Move]) -> None:
        if not self.keep_ttl:
            with translated_errors():
                refuse_expiring(self.database, moves)

    def _repeatable(self, target: str, *, repeat: bool) -> tuple[Move, ...]:
        """Find the applied migrations that going to a target repeats, the oldest first."""
        if repeat or target != LATEST:
            return ()
        applied = {record.number for record in self.applied()}
        found = [item for item in self.migrations if item.repeatable and item.number in applied]
        return tuple(Move(migration, "up") for migration in found)

    @property
    def _applied_keys(self) -> list[str]:
        applied = {record.number for record in self.applied()}
        return [migration.key for migration in self.migrations if migration.number in applied]

    def _noted(self) -> dict[str, int]:
        """Count by collection the documents with undo notes of applied migrations."""
        which = _with_notes(self._applied_keys)
        names = sorted(collection_names(self.database))
        counts = {name: self._tolerant[name].count_documents(which) for name in names}
        return {name: count for name, count in counts.items() if count}

    def _accept(self, lock: HeldLock) -> dict[str, int]:
        """Remove the undo notes of applied migrations."""
        keys, work = self._applied_keys, Work(self._tolerant, lock.ensure_held, self.progress)
        lock.ensure_held()
        with translated_errors():
            counts = self._noted()
            # Recorded first: after a kill, going down with half of the notes is refused.
            self._records.accept([record.number for record in self.applied()])
            for name in counts:
                work.update(name, _with_notes(keys), forget(*keys))
        return counts

    def _run(self, move: Move, lock: HeldLock, *, repeat: bool) -> MoveReport:
        """Run one migration and record how it ended."""
        lock.ensure_held()
        migration, began = move.migration, time.monotonic()
        details = {"name": migration.name, "checksum": migration.checksum, "run_by": self.run_by}
        record = self._records.begin(migration.number, BEGUN[move.direction], details)
        work = Work(
            self._tolerant,
            lock.ensure_held,
            self.progress,
            record.remembered,
            lambda name, value: self._records.remember(migration.number, name, value),
        )
        try:
            with translated_errors():
                # A check reads all documents, so it is made only where its counts are needed.
                counted = repeat or move.direction == "down"
                before = _checked(migration, self._tolerant) if counted else Check()
                report = _apply_until_clean(move, work, before)
            lock.ensure_held()
        except Exception as error:
            self._record_failure(record, error, time.monotonic() - began)
            if isinstance(error, DatabaseError):
                raise
            raise MigrationFailed(
                f"Migration {migration} ended half way ({type(error).__name__}: {error}); what it "
                "has done is kept, and the next run goes on from there."
            ) from error
        report = report.model_copy(update={"seconds": time.monotonic() - began})
        counts = {name: count for name, count in report.counts.items() if count}
        result = {"seconds": report.seconds, "counts": counts}
        self._records.end(record, ENDED[move.direction], result)
        return _since(before, report) if repeat else report

    def _record_failure(self, begun: MigrationRecord, error: Exception, seconds: float) -> None:
        result = {"seconds": seconds, "error": f"{type(error).__name__}: {error}"}
        try:
            self._records.end(begun, "failed", result)
        except DatabaseError as other:
            log.warning("The failure of %s could not be recorded: %s", begun.name, other)

    @property
    def _records(self) -> MigrationRecordRepository:
        return MigrationRecordRepository(self.database)

    @property
    def _tolerant(self) -> Database[Document]:
        return reading_anything(self.database)

    def _report(
        self,
        target: str,
        moves: list[MoveReport],
        *,
        applied: tuple[str, ...] = (),
        accepted: dict[str, int] | None = None,
        dry_run: bool,
    ) -> MigrationReport:
        return MigrationReport(
            database=self.database.name,
            dry_run=dry_run,
            target=target,
            applied=applied,
            moves=tuple(moves),
            accepted=accepted,
            lowest=max((record.number for record in self.applied()), default=0),
        )


def _with_notes(keys: Sequence[str]) -> Document:
    return {"$or": [{f"{UNDO}.{key}": {"$exists": True}} for key in keys] or [{"_id": {"$in": []}}]}


def _repetition(report: MoveReport) -> MoveReport:
    return report.model_copy(update={"repeated": True})


def _checked(migration: Migration, database: Database[Document]) -> Check:
    """Check a migration, and list the views in the place of what it would change."""
    views = left_views(database, migration.changes or ())
    return migration.check(database) + Check(unresolved=views)


def _apply_until_clean(move: Move, work: Work, before: Check) -> MoveReport:
    """Run a migration, and again until its own check finds nothing left to do."""
    migration, up = move.migration, move.direction == "up"
    step = migration.up if up else migration.down
    for _ in range(PASSES):
        if step:
            step(work)
        check = _checked(migration, work.database)
        if check.is_done if up else check.is_undone:
            return _report_of(move, check if up else before, proven=True)
    counts = check.remaining if up else check.changed
    left = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    raise MigrationFailed(
        f"Migration {migration} went {move.direction} {PASSES} times and left documents: {left}; "
        "run it again when no other program writes to them."
    )


def _report_of(move: Move, check: Check, *, proven: bool = False) -> MoveReport:
    undone = move.direction == "down"
    return MoveReport(
        number=move.migration.number,
        name=move.migration.name,
        direction=move.direction,
        counts=check.changed if undone or proven else check.remaining,
        unresolved=() if undone else check.unresolved,
    )


def _since(before: Check, report: MoveReport) -> MoveReport:
    """Leave out what earlier runs changed: the undo notes count those documents, too."""
    counts = {
        name: before.remaining.get(name, count - before.changed.get(name, 0))
        for name, count in report.counts.items()
    }
    return report.model_copy(update={"counts": counts})
