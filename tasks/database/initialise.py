"""Bringing the database to what the registry says, and showing what was found."""

from typing import ClassVar

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.environment import Environment
from db.connection import Document
from db.setup.apply import initialise
from db.setup.compare import ValidationAction
from db.setup.report import Finding, InitReport, words
from tasks.database.connection import opened_database
from tasks.retries import is_retryable, with_retries

ARTIFACT_KEY = "init-db"


class InitialisationBlocked(Exception):
    """Something is not as it should be and cannot be repaired without a person; the rest is done.

    Attributes:
        report: What became of every collection and index.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, report: InitReport) -> None:
        reasons = [str(finding) for finding in report.blocked]
        super().__init__(f"{report.summary()} {' '.join(reasons)} Nothing of these was dropped.")
        self.report = report


@task(cache_policy=NO_CACHE, task_run_name="initialise", retry_condition_fn=is_retryable)
def initialise_database(
    database: Database[Document], action: ValidationAction, *, dry_run: bool
) -> InitReport:
    """Create and repair collections, validators and indexes, or only look.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    return initialise(database, action, dry_run=dry_run)


@task(cache_policy=NO_CACHE, task_run_name="show what was found")
def show_initialisation(report: InitReport) -> None:
    """Show a report in the run's log and as a table in the Prefect UI."""
    log = get_run_logger()
    for line in report.lines():
        log.info(line)
    for finding in report.blocked:
        log.warning("Blocked: %s %s", finding, "; ".join(map(str, finding.duplicates)))
    log.info(report.summary())
    create_table_artifact(
        [_row(finding, dry_run=report.dry_run) for finding in report.findings],
        key=ARTIFACT_KEY,
        description=report.summary(),
    )


def bring_into_shape(action: ValidationAction, *, dry_run: bool) -> InitReport:
    """Initialise the configured database, show what was found and return it.

    Args:
        action: What the server does about invalid documents.
        dry_run: Whether to look only.

    Raises:
        InitialisationBlocked: Something needs a person; it carries the report.
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    environment = Environment()
    with opened_database(environment) as database:
        report = with_retries(initialise_database, environment)(database, action, dry_run=dry_run)
    show_initialisation(report)
    if report.blocked:
        raise InitialisationBlocked(report)
    return report


def _row(finding: Finding, *, dry_run: bool) -> dict[str, str]:
    duplicates = "; ".join(map(str, finding.duplicates))
    return {
        "collection": finding.collection,
        "kind": finding.kind,
        "name": finding.name,
        "outcome": words(finding.outcome, dry_run=dry_run),
        "reason": " ".join(filter(None, [finding.reason, duplicates])),
    }
