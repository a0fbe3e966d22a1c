"""The flow `restore-story`: brings back what `delete-story` or the app deleted.

It needs the database and nothing else:

    from flows.restore_story import restore_story
    report = restore_story("project-id", "projects", dry_run=False)
"""

from datetime import UTC, datetime

from prefect import flow

from db.soft_delete.story import StoryChange, StoryCollection, StoryReport
from flows.parameters import DocumentId, OptionalUserId, dry_run_name, unless_typed
from tasks.database.connection import opened_database
from tasks.database.recycle_bin import count_and_change
from tasks.log_lines import failing_in_a_sentence


@flow(name="restore-story", flow_run_name=unless_typed(dry_run_name), validate_parameters=False)
@failing_in_a_sentence
def restore_story(
    document_id: DocumentId,
    collection: StoryCollection = "projects",
    by: OptionalUserId = None,
    dry_run: bool = True,
) -> StoryReport:
    """Restore something that was deleted, with exactly what was deleted together with it.

    The counts by collection are shown first. What had been deleted before it stays deleted. It is
    refused while what it belongs to is deleted: restore that first.

    Args:
        document_id: Id of what is restored, as list-deleted shows it.
        collection: Which kind of thing that is.
        by: Id of the user who restores it, which stands in the report.
        dry_run: While this is on, the run only counts; switch it off to restore.

    Returns:
        How many documents of each collection came back.
    """
    with opened_database() as database:
        change = StoryChange(database, "restore", collection, document_id, by, datetime.now(UTC))
        return count_and_change(change, dry_run=dry_run)
