"""Auditing the configured database, and showing what was found."""

from datetime import UTC, datetime

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.environment import Environment
from db.audit.audit import audit
from db.audit.report import AuditFinding, AuditReport
from db.connection import Document
from tasks.database.connection import opened_database
from tasks.retries import is_retryable, with_retries

TABLE_KEY = "audit-db"
REPORT_KEY = "audit-db-report"
MAX_ROWS = 500
MAX_REPORT_LENGTH = 200_000
"""Characters of the JSON report in the UI; what a flow returns is whole."""


@task(cache_policy=NO_CACHE, task_run_name="audit", retry_condition_fn=is_retryable)
def audit_database(
    database: Database[Document], sample_size: int | None, *, fix: bool
) -> AuditReport:
    """Look for what is wrong and repair what is safe, or only look.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    return audit(database, datetime.now(UTC), sample_size, fix=fix)


@task(cache_policy=NO_CACHE, task_run_name="show what was found")
def show_audit(report: AuditReport) -> None:
    """Show a report in the run's log, and as a table and as JSON in the Prefect UI."""
    log = get_run_logger()
    for line in report.lines():
        log.info(line)
    log.info(report.summary())
    create_table_artifact(
        [_row(finding) for finding in report.findings[:MAX_ROWS]],
        key=TABLE_KEY,
        description=f"{report.summary()} The worst {MAX_ROWS} at most are shown.",
    )
    create_markdown_artifact(
        f"```json\n{report.as_json(MAX_REPORT_LENGTH)}\n```",
        key=REPORT_KEY,
        description=report.summary(),
    )


def audit_and_show(sample_size: int | None, *, fix: bool) -> AuditReport:
    """Audit the configured database, show what was found and return it.

    Args:
        sample_size: Most documents of a collection to validate; all when None.
        fix: Whether to repair what is safe to repair.

    Raises:
        db.errors.DatabaseError: The server cannot be reached or refuses the user.
    """
    environment = Environment()
    with opened_database(environment) as database:
        report = with_retries(audit_database, environment)(database, sample_size, fix=fix)
    show_audit(report)
    return report


def _row(finding: AuditFinding) -> dict[str, str | int]:
    return {
        "severity": finding.severity,
        "kind": finding.kind,
        "collection": finding.collection,
        "subject": finding.subject,
        "count": finding.count,
        "first": ", ".join(finding.ids),
        "done or to do": finding.done or finding.remedy,
    }
