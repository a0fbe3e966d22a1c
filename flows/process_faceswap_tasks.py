"""The flow `process-faceswap-tasks`: drains the queue of the couple face-swap app."""

from functools import partial

from prefect import flow

from flows.parameters import (
    WORKERS,
    AtOnce,
    Husband,
    MaxJobs,
    RunMinutes,
    WaitSeconds,
    unless_typed,
)
from tasks.log_lines import failing_in_a_sentence
from tasks.queues.couple import CoupleWork
from tasks.queues.drain import DrainRules
from tasks.queues.report import DrainReport
from tasks.queues.run import run_drain


@flow(
    name="process-faceswap-tasks",
    flow_run_name=unless_typed("process-faceswap-tasks"),
    task_runner=WORKERS,
    validate_parameters=False,
)
@failing_in_a_sentence
def process_faceswap_tasks(
    run_minutes: RunMinutes = 55,
    wait_seconds: WaitSeconds = 10,
    max_jobs: MaxJobs = None,
    at_once: AtOnce = None,
    husband: Husband = None,
) -> DrainReport:
    """Swap the faces of couples that wait in faceswap_tasks, the oldest first.

    Args:
        run_minutes: Minutes after which no task is begun any more, 1 to 720.
        wait_seconds: The run ends when nothing was queued for so long; left empty, only after its
            minutes.
        max_jobs: Tasks that this run does at most; left empty, any number.
        at_once: Tasks that it works on side by side; left empty, one more than the hosts have
            slots.
        husband: Where the husband is in templates without a mapping: left, right, or the place of
            his face from the left, the first being 0; left empty, known genders decide, else it is
            left.
    """
    rules = DrainRules(run_minutes, wait_seconds, max_jobs, at_once=at_once)
    return run_drain(partial(CoupleWork, husband=husband), rules)
