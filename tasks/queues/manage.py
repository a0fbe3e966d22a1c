"""Listing the documents of a queue, cancelling them, and putting them back to wait."""

from typing import Literal

from prefect.runtime import flow_run
from pymongo.database import Database

from db.connection import Document
from db.queues.managing import QueueManager
from db.queues.queue import COUPLE_TASKS, QUEUES, Queue
from db.queues.reports import QueueAction, QueueFilter, QueueReport
from storycanvas.faces.errors import BadField
from tasks.artifacts import ReportArtifact
from tasks.queues.starting import start_drain
from tasks.retries import database_task

QueueName = Literal["facefusion_jobs", "faceswap_tasks"]
_OF_JOBS_ALONE = ("job_type", "character_id", "project_id")
MAX_LINES = 50
"""Documents of a list that stand in the run's log; the table has up to 500."""


def queue_named(name: QueueName, wanted: QueueFilter) -> Queue:
    """Find a queue.

    Raises:
        BadField: Its documents do not have what is asked for.
    """
    queue = next(queue for queue in QUEUES if queue.collection == name)
    given = [field for field in _OF_JOBS_ALONE if getattr(wanted, field) is not None]
    if queue is COUPLE_TASKS and given:
        raise BadField(f"{given[0]} is not for the queue {name}; leave it empty.")
    return queue


@database_task("look into {queue.collection}")
def read_queue(
    database: Database[Document],
    queue: Queue,
    wanted: QueueFilter,
    action: QueueAction,
    *,
    dry_run: bool,
) -> QueueReport:
    """Count and list what is asked for, and what the action may change of it."""
    return QueueManager(database, queue, wanted).report(action, dry_run=dry_run)


@database_task("{action} in {queue.collection}")
def change_queue(
    database: Database[Document],
    queue: Queue,
    wanted: QueueFilter,
    action: QueueAction,
    found: QueueReport,
) -> QueueReport:
    """Cancel what is asked for, or put it back to wait, and have it worked on."""
    changed = QueueManager(database, queue, wanted).change(action)
    drain = ""
    if action == "retry" and changed:
        drain = start_drain(queue.collection, f"retry by {flow_run.get_id()}")
    return found.model_copy(update={"changed": changed, "drain": drain})


def queue_table(report: QueueReport) -> ReportArtifact:
    """Write what was found as a table; where nothing was, the sentence."""
    rows = [document.model_dump() for document in report.documents]
    return ReportArtifact("manage-jobs", rows or report.summary())


def queue_lines(report: QueueReport) -> list[str]:
    """Describe the newest documents, a line each."""
    lines = [document.line() for document in report.documents[:MAX_LINES]]
    if len(report.documents) > MAX_LINES:
        lines.append(f"The table has {len(report.documents) - MAX_LINES} more.")
    return lines
