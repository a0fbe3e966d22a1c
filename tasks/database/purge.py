"""Counting what was deleted long enough ago, showing it, and only then removing it."""

from datetime import UTC, datetime, timedelta

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from blocks.environment import Environment
from db.soft_delete.purge import Purge
from db.soft_delete.report import KeptDocument, PurgeCount, PurgeReport
from tasks.database.connection import opened_database
from tasks.retries import is_retryable, with_retries

ARTIFACT_KEY = "purge-deleted"

Row = dict[str, str | int]


@task(cache_policy=NO_CACHE, task_run_name="count", retry_condition_fn=is_retryable)
def count_deleted(purge: Purge) -> PurgeReport:
    """Count what is due and what is kept.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    return purge.count()


@task(cache_policy=NO_CACHE, task_run_name="remove", retry_condition_fn=is_retryable)
def remove_deleted(purge: Purge) -> PurgeReport:
    """Remove what is due; a retry goes on with what is left and counts on.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    return purge.remove()


@task(cache_policy=NO_CACHE, task_run_name="show what was found")
def show_purge(report: PurgeReport) -> None:
    """Show a report in the run's log and as a table in the Prefect UI."""
    log = get_run_logger()
    for line in report.lines():
        log.info(line)
    for document in report.kept:
        log.warning("Kept: %s", document)
    if more := report.kept_count - len(report.kept):
        log.warning("Kept: %d more.", more)
    log.info(report.summary())
    create_table_artifact(
        [*map(_row_of_count, report.counts), *map(_row_of_kept, report.kept)],
        key=ARTIFACT_KEY,
        description=report.summary(),
    )


def purge(older_than_days: int, *, dry_run: bool) -> PurgeReport:
    """Purge the configured database, or count only; the count is shown before anything goes.

    Args:
        older_than_days: How long ago a document must have been deleted, in days.
        dry_run: Whether to count only.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    limit = datetime.now(UTC) - timedelta(days=older_than_days)
    environment = Environment()
    with opened_database(environment) as database:
        work = Purge(database, limit, dry_run=dry_run)
        counted = with_retries(count_deleted, environment)(work)
        show_purge(counted)
        if dry_run:
            return counted
        report = with_retries(remove_deleted, environment)(work)
    show_purge(report)
    return report


def _row_of_count(count: PurgeCount) -> Row:
    return {
        "collection": count.collection,
        "due": count.due,
        "removed": count.removed,
        "kept": count.kept,
        "not deleted": count.not_deleted,
        "deleted later": count.later,
        "cannot be read": count.unreadable,
        "note": "",
    }


def _row_of_kept(document: KeptDocument) -> Row:
    nothing = dict.fromkeys(
        ["due", "removed", "kept", "not deleted", "deleted later", "cannot be read"], ""
    )
    note = f"Kept: {document.document_id!r}: {document.reason}"
    return {"collection": document.collection, **nothing, "note": note}
