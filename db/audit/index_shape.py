"""Collections and indexes that are not as the registry says."""

from collections.abc import Iterator

from db.audit.report import LISTED, AuditFinding, Kind
from db.reports import Finding, InitReport, Outcome

_RUN_INIT_DB = "Run init-db."
_KINDS: dict[Outcome, Kind] = {
    "created": "missing index",
    "repaired": "different index",
    "blocked": "blocked index",
}


def index_findings(report: InitReport) -> Iterator[AuditFinding]:
    """Choose what an audit says of what `init-db` would do.

    Validators are left out: whether they warn or refuse is the operator's choice, and the
    documents themselves are validated.

    Args:
        report: Of a dry run.

    Yields:
        One finding for each collection that is missing, and for each index that is missing or
        different in a collection that is there.
    """
    wrong = [(one, _KINDS[one.outcome]) for one in report.findings if one.outcome in _KINDS]
    missing = {finding.collection for finding, _ in wrong if finding.kind == "collection"}
    for finding, kind in wrong:
        if finding.kind == "collection":
            yield _finding(finding, "missing collection")
        elif finding.kind == "index" and finding.collection not in missing:
            yield _finding(finding, kind)


def _finding(finding: Finding, kind: Kind) -> AuditFinding:
    blocked = finding.outcome == "blocked"
    remedy = finding.reason if blocked else f"{finding.reason} {_RUN_INIT_DB}".strip()
    return AuditFinding(
        kind=kind,
        collection=finding.collection,
        subject=finding.name,
        count=finding.duplicate_groups or 1,
        ids=tuple(name for one in finding.duplicates for name in one.ids)[:LISTED],
        severity="critical" if blocked else "warning",
        remedy=remedy,
    )
