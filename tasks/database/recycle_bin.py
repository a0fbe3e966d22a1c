"""Deleting and restoring parts of stories, and listing what is deleted."""

from datetime import UTC, datetime

from pymongo.database import Database

from db.connection import Document
from db.soft_delete.recycle_bin import BinReport, DeletedDocument, list_deleted
from db.soft_delete.story import StoryChange, StoryReport
from tasks.artifacts import ReportArtifact, finished, publish_report
from tasks.retries import database_task

BIN_KEY = "list-deleted"

Row = dict[str, str | int]


@database_task("count")
def count_story(change: StoryChange, *, dry_run: bool) -> StoryReport:
    """Count what would be deleted or restored."""
    return change.count(dry_run=dry_run)


@database_task("change")
def change_story(change: StoryChange, counted: StoryReport) -> StoryReport:
    """Delete or restore what was counted; a retry ends what was begun."""
    return change.apply(counted)


@database_task("list")
def list_bin(database: Database[Document], older_than_days: int) -> BinReport:
    """List what is deleted."""
    return list_deleted(database, datetime.now(UTC), older_than_days)


def count_and_change(change: StoryChange, *, dry_run: bool) -> StoryReport:
    """Delete or restore as a whole flow: count, show the counts, and unless it is a dry run do it.

    Returns:
        The report, within the state that the flow returns.
    """
    counted = count_story(change, dry_run=dry_run)
    _publish(counted)
    if dry_run:
        return finished(counted, dry_run=True)
    report = change_story(change, counted)
    _publish(report)
    return finished(report)


def _publish(report: StoryReport) -> None:
    publish_report(
        report.summary(), story_table(report), lines=report.lines(), dry_run=report.dry_run
    )


def story_table(report: StoryReport) -> ReportArtifact:
    """Write a report as a table of the counts by collection."""
    rows: list[Row] = [
        {"collection": collection, report.done_words: count}
        for collection, count in report.counts.items()
    ]
    return ReportArtifact(f"{report.action}-story", rows)


def bin_table(report: BinReport) -> ReportArtifact:
    """Write a report as a table of the deletions, the newest first."""
    return ReportArtifact(BIN_KEY, [_row(document) for document in report.documents])


def _row(document: DeletedDocument) -> Row:
    together = ", ".join(f"{count} {name}" for name, count in document.together.items())
    at = document.deleted_at
    left = document.days_left
    return {
        "name": document.name,
        "collection": document.collection,
        "deleted together": together,
        "days until purge-deleted may remove it": "never: no time that can be read"
        if left is None
        else left,
        "deleted at": f"{at:%Y-%m-%d %H:%M} UTC" if at else "",
        "by": document.deleted_by,
        "id": document.document_id,
    }
