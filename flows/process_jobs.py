"""The flow `process-jobs`: drains the queue of face work that the app asks for."""

from prefect import flow

from flows.parameters import (
    WORKERS,
    AtOnce,
    JobTypes,
    MaxJobs,
    RunMinutes,
    WaitSeconds,
    unless_typed,
)
from tasks.log_lines import failing_in_a_sentence
from tasks.queues.drain import DrainRules
from tasks.queues.jobs import JobWork
from tasks.queues.report import DrainReport
from tasks.queues.run import run_drain


@flow(
    name="process-jobs",
    flow_run_name=unless_typed("process-jobs · {job_types}"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def process_jobs(
    run_minutes: RunMinutes = 55,
    wait_seconds: WaitSeconds = 10,
    max_jobs: MaxJobs = None,
    job_types: JobTypes = (),
    at_once: AtOnce = None,
) -> DrainReport:
    """Do the face work that waits in facefusion_jobs, by priority and age.

    Args:
        run_minutes: Minutes after which no job is begun any more, 1 to 720.
        wait_seconds: The run ends when nothing was queued for so long; left empty, only after its
            minutes.
        max_jobs: Jobs that this run does at most; left empty, any number.
        job_types: Types of jobs that it does; left empty, all.
        at_once: Jobs that it works on side by side; left empty, one more than the hosts have slots.
    """
    rules = DrainRules(run_minutes, wait_seconds, max_jobs, job_types, at_once)
    return run_drain(JobWork, rules)
