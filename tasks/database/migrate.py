"""Migrating the database, and showing what was done."""

import getpass
import platform

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pymongo.database import Database

from blocks.environment import Environment
from db.connection import Document
from db.migrations.characters import (
    CharacterMigrationReport,
    CharacterStatistics,
    character_statistics,
)
from db.migrations.engine.migration import load_migrations
from db.migrations.engine.migrator import Migrator
from db.migrations.engine.report import MigrationReport, MoveReport
from tasks.database.connection import opened_database
from tasks.progress import shown_progress
from tasks.retries import is_retryable, with_retries

MIGRATE_KEY = "migrate-db"
CHARACTERS_KEY = "migrate-characters"
CHARACTER_FIELDS = "1"
"""Number of the migration of characters."""

Row = dict[str, str | int]


@task(cache_policy=NO_CACHE, task_run_name="migrate", retry_condition_fn=is_retryable)
def migrate(database: Database[Document], target: str, *, dry_run: bool) -> MigrationReport:
    """Bring a database to a state, or say what that would take.

    Raises:
        db.errors.DatabaseError: The target cannot be reached, or the server.
    """
    with shown_progress(f"{MIGRATE_KEY}-progress") as progress:
        migrator = Migrator(database, _run_by(), load_migrations(), progress)
        return migrator.dry_run(target) if dry_run else migrator.apply(target)


@task(cache_policy=NO_CACHE, task_run_name="migrate characters", retry_condition_fn=is_retryable)
def repair_characters(database: Database[Document], *, dry_run: bool) -> MigrationReport:
    """Repair the FaceFusion fields of all characters, or say what that would take.

    Raises:
        db.errors.DatabaseError: Another run migrates, or the server cannot be reached.
    """
    with shown_progress(f"{CHARACTERS_KEY}-progress") as progress:
        migrator = Migrator(database, _run_by(), load_migrations(), progress)
        act = migrator.dry_run if dry_run else migrator.apply
        return act(CHARACTER_FIELDS, repeat=True)


@task(cache_policy=NO_CACHE, task_run_name="count characters", retry_condition_fn=is_retryable)
def count_characters(database: Database[Document]) -> CharacterStatistics:
    """Count the characters that have their FaceFusion fields.

    Raises:
        db.errors.DatabaseError: The server cannot be reached.
    """
    return character_statistics(database)


@task(cache_policy=NO_CACHE, task_run_name="show what was done")
def show(
    report: MigrationReport | CharacterMigrationReport, moves: tuple[MoveReport, ...], key: str
) -> None:
    """Show a report in the run's log and as a table in the Prefect UI."""
    log = get_run_logger()
    for line in report.lines():
        log.info(line)
    for one in (one for move in moves for one in move.unresolved):
        log.warning("Left to a person: %s.", one)
    log.info(report.summary())
    rows = [row for move in moves for row in _rows(move)]
    create_table_artifact(rows, key=f"{key}-report", description=report.summary())


def migrate_database(target: str, *, dry_run: bool) -> MigrationReport:
    """Migrate the configured database, show what was done and return it.

    Args:
        target: `latest`, or the number of the last migration that is to be applied.
        dry_run: Whether to look only.

    Raises:
        db.errors.DatabaseError: The target cannot be reached, or the server.
    """
    environment = Environment()
    with opened_database(environment) as database:
        report = with_retries(migrate, environment)(database, target, dry_run=dry_run)
    show(report, report.moves, MIGRATE_KEY)
    return report


def migrate_all_characters(*, dry_run: bool) -> CharacterMigrationReport:
    """Repair the characters of the configured database, show what was done and return it.

    Args:
        dry_run: Whether to look only.

    Raises:
        db.errors.DatabaseError: Another run migrates, or the server cannot be reached.
    """
    environment = Environment()
    count = with_retries(count_characters, environment)
    with opened_database(environment) as database:
        before = count(database)
        done = with_retries(repair_characters, environment)(database, dry_run=dry_run)
        after = before if dry_run else count(database)
    report = CharacterMigrationReport(before=before, migration=done, after=after)
    show(report, done.moves, CHARACTERS_KEY)
    return report


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
    left = [(str(one), one.count) for one in move.unresolved]
    return [
        {"migration": migration, "direction": move.direction, "what": what, "documents": count}
        for what, count in counted + left or [("nothing to change", 0)]
    ]
