"""Auditing the database."""

from datetime import UTC, datetime

from pymongo.database import Database

from db.audit.audit import audit
from db.audit.report import AuditFinding, AuditReport
from db.connection import Document
from tasks.artifacts import ReportArtifact
from tasks.retries import database_task

TABLE_KEY = "audit-db"
REPORT_KEY = "audit-db-report"
MAX_ROWS = 500
MAX_REPORT_LENGTH = 200_000
"""Characters of the JSON report in the UI; what a flow returns is whole."""


@database_task("audit")
def audit_database(
    database: Database[Document], sample_size: int | None, *, fix: bool
) -> AuditReport:
    """Find what is wrong; with `fix`, repair what is safe to repair."""
    return audit(database, datetime.now(UTC), sample_size, fix=fix)


def audit_artifacts(report: AuditReport) -> tuple[ReportArtifact, ReportArtifact]:
    """Write a report as a table of the worst findings and as JSON."""
    table = ReportArtifact(
        TABLE_KEY,
        [_row(finding) for finding in report.findings[:MAX_ROWS]],
        f"{report.summary()} The worst {MAX_ROWS} at most are shown.",
    )
    return table, ReportArtifact(REPORT_KEY, f"```json\n{report.as_json(MAX_REPORT_LENGTH)}\n```")


def _row(finding: AuditFinding) -> dict[str, str | int]:
    return {
        "severity": finding.severity,
        "kind": finding.kind,
        "done or to do": finding.done or finding.remedy,
        "count": finding.count,
        "collection": finding.collection,
        "subject": finding.subject,
        "first": ", ".join(finding.ids),
    }
