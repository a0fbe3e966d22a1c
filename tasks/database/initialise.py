"""Bringing the database to what the registry defines."""

from typing import ClassVar

from pymongo.database import Database

from db.connection import Document
from db.setup.apply import initialise
from db.setup.compare import ValidationAction
from db.setup.report import Finding, InitReport, Outcome, words
from tasks.artifacts import ReportArtifact
from tasks.database.changes import NOTHING, DatabaseState
from tasks.retries import database_task

ARTIFACT_KEY = "init-db"
_ORDER: tuple[Outcome, ...] = (
    *("blocked", "different", "repaired", "created", "unknown", "existing"),
)


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


@database_task("initialise")
def initialise_database(
    database: Database[Document], action: ValidationAction, *, only_missing: bool, dry_run: bool
) -> InitReport:
    """Create and repair collections, validators and indexes, or only compare them."""
    return initialise(database, action, only_missing=only_missing, dry_run=dry_run)


def person_warnings(report: InitReport) -> list[str]:
    """List what needs a person."""
    blocked = [f"Blocked: {each} {'; '.join(map(str, each.duplicates))}" for each in report.blocked]
    return blocked + [f"Different and left alone: {each}" for each in report.of("different")]


def initialisation_table(report: InitReport) -> ReportArtifact:
    """Write a report as a table, a row a collection, validator or index; what is blocked first."""
    worst_first = sorted(report.findings, key=lambda finding: _ORDER.index(finding.outcome))
    rows = [_row(finding, dry_run=report.dry_run) for finding in worst_first]
    return ReportArtifact(ARTIFACT_KEY, rows)


_STATES: dict[Outcome, str] = {
    "blocked": "blocked",
    "different": "different",
    "repaired": "different",
    "created": "missing",
}
"""The worst first. What a run only looks at and what it mends is the same state."""
_MAX_NAMED = 5


def drift(report: InitReport) -> DatabaseState:
    """Describe how a database differs from the registry; a missing collection is told as one."""
    new = {each.name for each in report.of("created") if each.kind == "collection"}
    found = [
        each
        for each in report.of(*_STATES)
        if each.kind == "collection" or each.outcome != "created" or each.collection not in new
    ]
    states = [_STATES[each.outcome] for each in found]
    texts = {f"{_STATES[each.outcome]}: {each.kind} {each.place}": each for each in found}
    mended = {"created", "repaired"} if not report.dry_run else set()
    return DatabaseState(
        kind="drift",
        found=frozenset(texts),
        left=frozenset(text for text, each in texts.items() if each.outcome not in mended),
        counts={state: states.count(state) for state in dict.fromkeys(_STATES.values())},
        sentence=_drift_sentence(report, found),
        worst=min(states, key=[*_STATES.values()].index, default=NOTHING),
    )


def _drift_sentence(report: InitReport, found: list[Finding]) -> str:
    parts = []
    for outcome in _STATES:
        places = [f"{each.kind} {each.place}" for each in found if each.outcome == outcome]
        if places:
            more = f" and {len(places) - _MAX_NAMED} more" if len(places) > _MAX_NAMED else ""
            named = ", ".join(places[:_MAX_NAMED])
            parts.append(f"{words(outcome, dry_run=report.dry_run)}: {named}{more}")
    told = "; ".join(parts) or "all is as the registry defines it"
    return f"Database {report.database}: {told}."


def _row(finding: Finding, *, dry_run: bool) -> dict[str, str]:
    duplicates = "; ".join(map(str, finding.duplicates))
    return {
        "outcome": words(finding.outcome, dry_run=dry_run),
        "reason": " ".join(filter(None, [finding.reason, duplicates])),
        "kind": finding.kind,
        "collection": finding.collection,
        "name": finding.name,
    }
