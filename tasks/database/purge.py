"""Counting and removing what was deleted long enough ago."""

from db.soft_delete.purge import Purge
from db.soft_delete.report import KeptDocument, PurgeCount, PurgeReport
from tasks.artifacts import ReportArtifact
from tasks.database.changes import NOTHING, DatabaseState
from tasks.retries import database_task

ARTIFACT_KEY = "purge-deleted"

Row = dict[str, str | int]


@database_task("count")
def count_deleted(purge: Purge) -> PurgeReport:
    """Count what is due and what is kept."""
    return purge.count()


@database_task("remove")
def remove_deleted(purge: Purge) -> PurgeReport:
    """Remove what is due; a retry goes on with what is left and counts on."""
    return purge.remove()


def kept_warnings(report: PurgeReport) -> list[str]:
    """List the documents that are kept and why."""
    warnings = [f"Kept: {document}" for document in report.kept]
    if more := report.kept_count - len(report.kept):
        warnings.append(f"Kept: {more} more.")
    return warnings


def due_state(report: PurgeReport, days: int) -> DatabaseState:
    """Describe what has been deleted for some days and is due to be removed, and what is left."""
    due = {each.collection: each.due for each in report.counts if each.due}
    left = {each.collection: each.due - each.removed for each in report.counts}
    return DatabaseState(
        kind="due-purge",
        question=f"{days}-days",
        found=frozenset(f"{name}: {count}" for name, count in due.items()),
        left=frozenset(f"{name}: {count}" for name, count in left.items() if count > 0),
        counts={"due": report.due, "kept": report.kept_count, "removed": report.removed, **due},
        sentence=report.summary(),
        worst="due" if due else NOTHING,
    )


def purge_table(report: PurgeReport) -> ReportArtifact:
    """Write a report as a table: the documents kept, then the counts of each collection."""
    counts = [_row_of_count(count) for count in report.counts]
    return ReportArtifact(ARTIFACT_KEY, [_row_of_kept(kept) for kept in report.kept] + counts)


def _row_of_count(count: PurgeCount) -> Row:
    return {
        "collection": count.collection,
        "note": "",
        "due": count.due,
        "removed": count.removed,
        "kept": count.kept,
        "not deleted": count.not_deleted,
        "deleted later": count.later,
        "cannot be read": count.unreadable,
        "id": "",
    }


def _row_of_kept(document: KeptDocument) -> Row:
    nothing = dict.fromkeys(
        ["due", "removed", "kept", "not deleted", "deleted later", "cannot be read"], ""
    )
    note = f"Kept: {document.reason}"
    named = {"id": document.document_id}
    return {"collection": document.collection, "note": note, **nothing, **named}
