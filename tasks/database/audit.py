"""Auditing the database."""

from datetime import UTC, datetime
from typing import get_args

from pymongo.database import Database

from db.audit.audit import audit
from db.audit.report import AuditFinding, AuditReport, Kind, Severity
from db.connection import Document
from tasks.artifacts import ReportArtifact
from tasks.database.changes import NOTHING, DatabaseState
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


_COUNTED: frozenset[Kind] = frozenset(
    ("expiring index", "oversized document", "long history", "large character")
)
"""Their subjects hold numbers that grow from night to night."""


def audit_state(report: AuditReport) -> DatabaseState:
    """Describe what is wrong, without what may be meant and without numbers that change by nights.

    Of a collection that was not validated as a whole, what an earlier run found counts as well:
    another sample would find it again.
    """
    wrong = [each for each in report.findings if each.severity != "info"]
    severities = [each.severity for each in report.findings]
    sampled = [
        each.collection
        for each in report.collections
        if report.sample_size is not None and each.documents > report.sample_size
    ]
    return DatabaseState(
        kind="audit",
        found=frozenset(map(_told, wrong)),
        left=frozenset(_told(each) for each in wrong if not each.done),
        counts={severity: severities.count(severity) for severity in get_args(Severity)},
        sentence=" ".join([report.summary(), *(f"Worst: {each}" for each in wrong[:1])]),
        worst=wrong[0].severity if wrong else NOTHING,
        unsure=tuple(f"warning: invalid document in {name}, " for name in sampled),
    )


def _told(finding: AuditFinding) -> str:
    subject = "" if finding.kind in _COUNTED else f", {finding.subject}"
    return f"{finding.severity}: {finding.kind} in {finding.collection}{subject}"


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
