"""The flow `submit-job`: puts face work into the queue, as the app's back end does.

It needs the database and nothing else:

    from flows.submit_job import submit_job
    job = submit_job("enhance", {"image_url": "/uploads/mara.png"}, character_id="mara")
    print(job.id)
"""

from prefect import flow

from db.queues.queue import JOBS
from db.queues.submitting import NewJob, SubmittedJob
from db.schema.documents.faces import JobType
from flows.parameters import JobInput, OptionalCharacterId, OptionalMoment, Priority, unless_typed
from tasks.artifacts import finished, publish_report
from tasks.characters.naming import id_of_character
from tasks.database.connection import opened_database
from tasks.log_lines import failing_in_a_sentence
from tasks.queues.starting import start_drain
from tasks.queues.submit import submit, submitted_table


@flow(
    name="submit-job",
    flow_run_name=unless_typed("submit-job · {job_type} · {character_id}"),
    validate_parameters=False,
)
@failing_in_a_sentence
def submit_job(
    job_type: JobType,
    input_data: JobInput,
    character_id: OptionalCharacterId = None,
    project_id: OptionalCharacterId = None,
    priority: Priority = 0,
    not_before: OptionalMoment = None,
) -> SubmittedJob:
    """Put face work into the queue, where a drain takes it.

    The input is checked first. A run that is retried inserts nothing twice.

    Args:
        job_type: What is to be done.
        input_data: One line a field, as in image_url: /uploads/face.png.
        character_id: Id or name of the character whose gallery receives the pictures; left empty,
            none does.
        project_id: Id of the project that the job belongs to; left empty, it belongs to none.
        priority: Larger goes first, -100 to 100.
        not_before: Date and time before which it is not begun, UTC where no time zone is given.

    Returns:
        The job's id, and what was done so that it is worked on.
    """
    with opened_database() as database:
        job = NewJob(
            job_type=job_type,
            input_data=input_data,
            character_id=character_id and id_of_character(database, character_id),
            project_id=project_id,
            priority=priority,
            not_before=not_before,
        )
        waiting = submit(database, job)
    drain = start_drain(JOBS.collection, waiting.id, not_before)
    submitted = waiting.model_copy(update={"drain": drain})
    publish_report(submitted.summary(), submitted_table(submitted))
    return finished(submitted)
