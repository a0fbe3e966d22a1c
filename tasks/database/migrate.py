"""Migrating the database."""

import getpass
import platform
from collections.abc import Iterable, Mapping

from prefect.runtime import flow_run
from pymongo.database import Database

from db.connection import Document
from db.migrations.characters import (
    CharacterMigrationReport,
    CharacterStatistics,
    character_statistics,
)
from db.migrations.engine.check import MigrationReport, MoveReport
from db.migrations.engine.migration import load_migrations
from db.migrations.engine.migrator import Migrator
from storycanvas.net.wording import counted
from tasks.artifacts import ReportArtifact
from tasks.database.changes import NOTHING, DatabaseState
from tasks.progress import shown_progress
from tasks.retries import database_task

MIGRATE_KEY = "migrate-db"
CHARACTERS_KEY = "migrate-characters"
CHARACTER_FIELDS = "1"
"""Number of the migration of characters."""

Row = dict[str, str | int]


@database_task("migrate")
def migrate(
    database: Database[Document], target: str, *, dry_run: bool, accept: bool, keep_ttl: bool
) -> MigrationReport:
    """Bring a database to a state, or report what that would take."""
    with shown_progress(f"{MIGRATE_KEY}-progress") as progress:
        migrator = Migrator(database, _run_by(), load_migrations(), progress, keep_ttl=keep_ttl)
        act = migrator.dry_run if dry_run else migrator.apply
        return act(target, accept=accept)


@database_task("migrate characters")
def repair_characters(
    database: Database[Document], *, dry_run: bool, keep_ttl: bool
) -> MigrationReport:
    """Repair the FaceFusion fields of all characters, or report what that would take."""
    with shown_progress(f"{CHARACTERS_KEY}-progress") as progress:
        migrator = Migrator(database, _run_by(), load_migrations(), progress, keep_ttl=keep_ttl)
        act = migrator.dry_run if dry_run else migrator.apply
        return act(CHARACTER_FIELDS, repeat=True)


@database_task("count characters")
def count_characters(
    database: Database[Document], before: CharacterStatistics | None = None
) -> CharacterStatistics:
    """Count the characters that have their FaceFusion fields."""
    return character_statistics(database, before)


def migration_warnings(report: MigrationReport) -> list[str]:
    """List what the migrations leave to a person, and the TTL indexes that keep them from running.

    The latter are known of a dry run alone, since any other run is refused.
    """
    left = [f"Left to a person: {left}." for move in report.moves for left in move.unresolved]
    return left + [f"{index}; drop it, or say keep_ttl." for index in report.expiring]


def kept_warnings(report: CharacterMigrationReport) -> list[str]:
    """List the invalid values that the migration of characters keeps."""
    return [f"Left to a person: {left}." for left in report.after.invalid]


def migration_table(
    key: str, moves: Iterable[MoveReport], accepted: Mapping[str, int] | None = None
) -> ReportArtifact:
    """Write what migrations changed, and where undo notes were removed, as a table."""
    removed: list[Row] = [
        {"what": name, "documents": count, "migration": "undo notes", "direction": "accept"}
        for name, count in (accepted or {}).items()
    ]
    return ReportArtifact(f"{key}-report", [row for move in moves for row in _rows(move)] + removed)


def pending_state(report: MigrationReport) -> DatabaseState:
    """Describe what a run to the latest migration had to do, and what it leaves."""
    ups = [move for move in report.moves if move.direction == "up"]
    pending = [move for move in ups if not move.repeated]
    fields = {f"{move.number}: {name}" for move in ups for name, n in move.counts.items() if n}
    to_do = {f"{move.number} {move.name}" for move in pending} | fields
    left = {f"{move.number} left: {each.what}" for move in ups for each in move.unresolved}
    documents = sum(n for move in ups for n in move.counts.values())
    numbers = ", ".join(str(move.number) for move in pending) or "none"
    state = "pending" if report.dry_run else "carried out"
    return DatabaseState(
        kind="pending-migrations",
        found=frozenset(to_do | left),
        left=frozenset(to_do | left if report.dry_run else left),
        counts={"migrations": len(pending), "documents": documents, "left to a person": len(left)},
        sentence=f"Database {report.database}: {counted(len(pending), 'migration')} {state} "
        f"({numbers}), {counted(documents, 'document')} in an older shape, "
        f"{counted(len(left), 'kind')} left to a person.",
        worst="pending" if to_do else NOTHING,
    )


def _run_by() -> str:
    return f"{_user()} on {platform.node()}, flow run {flow_run.name}"


def _user() -> str:
    """Name the user of this process; in a container it may be a number that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "a user without name"


def _rows(move: MoveReport) -> list[Row]:
    migration = f"{move.number} {move.name}"
    counted = [(name, count) for name, count in move.counts.items() if count]
    left = [(str(kind), kind.count) for kind in move.unresolved]
    return [
        {"what": what, "documents": count, "migration": migration, "direction": move.direction}
        for what, count in left + counted or [("nothing to change", 0)]
    ]
