"""The flow `delete-story`: puts a project, a scene or another part of a story into the bin.

It needs the database and nothing else:

    from flows.delete_story import delete_story
    report = delete_story("project-id", "projects", dry_run=False)
"""

from datetime import UTC, datetime

from prefect import flow

from db.soft_delete.story import StoryChange, StoryCollection, StoryReport
from flows.parameters import DocumentId, OptionalUserId, dry_run_name, unless_typed
from tasks.database.connection import opened_database
from tasks.database.recycle_bin import count_and_change
from tasks.log_lines import failing_in_a_sentence


@flow(name="delete-story", flow_run_name=unless_typed(dry_run_name), validate_parameters=False)
@failing_in_a_sentence
def delete_story(
    document_id: DocumentId,
    collection: StoryCollection = "projects",
    by: OptionalUserId = None,
    dry_run: bool = True,
) -> StoryReport:
    """Delete a project, scene, clip, character, style or preset with all that belongs to it.

    It is marked and not removed: restore-story brings it back until purge-deleted removes it. The
    counts by collection are shown first. What was deleted before keeps its own mark.

    Args:
        document_id: Id of what is deleted.
        collection: Which kind of thing that is.
        by: Id of the user who deletes it, which list-deleted shows.
        dry_run: While this is on, the run only counts; switch it off to delete.

    Returns:
        How many documents of each collection went into the bin.
    """
    with opened_database() as database:
        change = StoryChange(database, "delete", collection, document_id, by, datetime.now(UTC))
        return count_and_change(change, dry_run=dry_run)
