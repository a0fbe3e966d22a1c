"""The flow `manage-jobs`: lists what is in a queue, cancels it, or puts it back to wait.

It needs the database and nothing else:

    from flows.manage_jobs import manage_jobs
    print(manage_jobs(status="failed").summary())
    manage_jobs("retry", job_id="3f9a5d10-93a4-4c2e-9c52-1a3b7c9d0e11", dry_run=False)
"""

from typing import Literal

from prefect import flow
from prefect.runtime import flow_run

from db.queues.reports import QueueAction, QueueFilter, QueueReport
from db.schema.documents.faces import JobType
from flows.parameters import Hours, OptionalCharacterId, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.database.connection import opened_database
from tasks.log_lines import failing_in_a_sentence
from tasks.queues.manage import (
    QueueName,
    change_queue,
    queue_lines,
    queue_named,
    queue_table,
    read_queue,
)

Status = Literal["queued", "pending", "processing", "completed", "failed", "cancelled"]


def _run_name() -> str:
    action = flow_run.parameters.get("action", "list")
    looks = flow_run.parameters.get("dry_run", True) and action != "list"
    return f"manage-jobs ({action}{', dry run' if looks else ''})"


@flow(name="manage-jobs", flow_run_name=unless_typed(_run_name), validate_parameters=False)
@failing_in_a_sentence
def manage_jobs(
    action: QueueAction = "list",
    queue: QueueName = "facefusion_jobs",
    job_id: OptionalCharacterId = None,
    status: Status | None = None,
    job_type: JobType | None = None,
    character_id: OptionalCharacterId = None,
    project_id: OptionalCharacterId = None,
    older_than_hours: Hours = 0,
    dry_run: bool = True,
) -> QueueReport:
    """List what is in a queue, cancel it, or put what has failed back to wait.

    A job that is being worked on stops before its next step when it is cancelled. What the app
    works on by itself is never touched.

    Args:
        action: What is done with the jobs that the other fields choose.
        queue: The jobs of the app, or the tasks of the couple face-swap.
        job_id: Id of one job; left empty, any job is meant.
        status: Only jobs in this state.
        job_type: Only jobs that ask for this.
        character_id: Only jobs of this character.
        project_id: Only jobs of this project.
        older_than_hours: Only jobs made at least so many hours ago; 0 means of any age.
        dry_run: While this is on, the run only counts; switch it off to cancel or put back.

    Returns:
        The counts by state, and the jobs.
    """
    wanted = QueueFilter(
        id=job_id,
        status=status,
        job_type=job_type,
        character_id=character_id,
        project_id=project_id,
        older_than_hours=older_than_hours,
    )
    named = queue_named(queue, wanted)
    looks = dry_run and action != "list"
    with opened_database() as database:
        report = read_queue(database, named, wanted, action, dry_run=looks)
        if action != "list" and not dry_run:
            report = change_queue(database, named, wanted, action, report)
    publish_report(report.summary(), queue_table(report), lines=queue_lines(report), dry_run=looks)
    return finished(report, dry_run=looks)
