"""Submitting a job: what can be checked before it is in the queue is checked."""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from prefect.runtime import flow_run
from pymongo.database import Database

from db.characters import CharacterRepository
from db.connection import Document
from db.queues.submitting import NewJob, SubmittedJob, submit_job
from storycanvas.faces.jobs import JobRequest, job_label, read_job
from storycanvas.net.wording import counted, verb
from tasks.artifacts import ReportArtifact
from tasks.retries import database_task

_SUBMITTED = uuid5(NAMESPACE_URL, "storycanvas:submitted-jobs")
_MAX_REASONS = 3


@database_task("submit {job.job_type}")
def submit(database: Database[Document], job: NewJob) -> SubmittedJob:
    """Check a job and insert it; its id comes from the run's, so a retry finds what it inserted.

    Raises:
        FaceError: Its input cannot be used.
        UnknownCharacter: There is no such character.
    """
    request = read_job(job.job_type, job.input_data, job.character_id)
    character = CharacterRepository(database).find(job.character_id) if job.character_id else None
    job_id = str(uuid5(_SUBMITTED, flow_run.get_id() or datetime.now(UTC).isoformat()))
    submit_job(database, job_id, job, datetime.now(UTC))
    return SubmittedJob(
        id=job_id,
        label=job_label(job_id, job.job_type, character.name if character else None),
        not_before=job.not_before,
        remarks=_remarks(request),
    )


def _remarks(request: JobRequest) -> tuple[str, ...]:
    """Tell of the items of a batch that cannot be read: they fail, the others do not."""
    items = request.work if isinstance(request.work, tuple) else ()
    faults = [f"{item.name}: {item.fault}" for item in items if item.fault is not None]
    if not faults:
        return ()
    count = counted(len(faults), "item")
    told = f"{count} of {len(items)} {verb(len(faults), 'fails', 'fail')} as written."
    return (told, *faults[:_MAX_REASONS])


def submitted_table(submitted: SubmittedJob) -> ReportArtifact:
    """Write what was submitted as a table of one row."""
    return ReportArtifact("submit-job", [{"id": submitted.id, "job": submitted.label}])
