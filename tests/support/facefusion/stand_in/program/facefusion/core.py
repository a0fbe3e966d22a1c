"""The command line's way, and the one of a program that keeps this one resident."""

import signal
from typing import Any

from facefusion import (
    inputs,
    logger,
    misbehaviour,
    operations_log,
    state_manager,
    weights,
    workflow,
)
from facefusion.args import apply_args, collect_job_args, reduce_step_args
from facefusion.exit_helper import hard_exit, signal_exit
from facefusion.jobs import job_manager
from facefusion.processors.core import get_processors
from facefusion.program import create_program
from facefusion.program_helper import validate_args

ARGUMENTS_REFUSED = 2


def cli() -> None:
    """Run the command of `sys.argv`.

    Raises:
        SystemExit: Always: 0 done, 1 failed, 2 refused.
    """
    signal.signal(signal.SIGINT, signal_exit)
    program = create_program()
    if not validate_args(program):
        hard_exit(ARGUMENTS_REFUSED)
    args = vars(program.parse_args())
    command = args["command"]
    if command is None:
        program.print_help()
        hard_exit(0)
    if command != "headless-run":
        program.error(f"the stand-in knows headless-run only, not {command}")
    apply_args(args, state_manager.init_item)
    logger.init(state_manager.get_item("log_level"))
    if not job_manager.init_jobs(state_manager.get_item("jobs_path")):
        hard_exit(1)
    hard_exit(process_headless(args))


def process_headless(args: dict[str, Any]) -> int:
    """Do one operation as a job of one step; tell 0 for done, 1 for failed."""
    misbehaving = misbehaviour.take()
    begun = operations_log.begin(args, misbehaving)
    misbehaviour.act(misbehaving)
    code = run_job(job_manager.suggest_job_id("headless"), reduce_step_args(args))
    operations_log.end(begun, code)
    return code


def run_job(job_id: str, step_args: dict[str, Any]) -> int:
    """Create, queue and run a job; its file moves along. A name that is taken fails silently."""
    if not job_manager.create_job(job_id):
        return 1
    job_manager.add_step(job_id, step_args)
    for status in ("queued", "started"):
        job_manager.set_steps_status(job_id, status)
        if status == "queued":
            job_manager.move_job_file(job_id, status)
    code = process_step(step_args)
    ended = "failed" if code else "completed"
    job_manager.set_steps_status(job_id, ended)
    job_manager.move_job_file(job_id, ended)
    return 1 if code else 0


def process_step(step_args: dict[str, Any]) -> int:
    """Check weights and inputs, then work on the picture; tell 0 or what went wrong."""
    apply_args({**step_args, **collect_job_args()}, state_manager.set_item)
    logger.info("processing step 1 of 1", __name__)
    if not common_pre_check() or not processors_pre_check():
        return 1
    if state_manager.get_item("workflow_mode") == "image-to-video" or not inputs.are_usable():
        return 2
    return workflow.process()


def common_pre_check() -> bool:
    """Check the program itself. The real one compares its content check with a known hash."""
    return True


def processors_pre_check() -> bool:
    """Check the weights of all chosen processors, up to the first that is not ready."""
    chosen = get_processors(state_manager.get_item("processors"))
    return all(weights.check_all(processor.models()) for processor in chosen)
