"""Tasks that a run needs before its first operation: while one waits, the run's state says why."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import httpx
from prefect import Task
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging import get_run_logger
from prefect.states import Running

from blocks.environment import Environment
from storycanvas.faces.errors import PictureUnreachable
from tasks.retries import is_retryable, retrying_task

P = ParamSpec("P")
R = TypeVar("R")

FIRST_WAIT_SECONDS = 2.0
"""Longest wait before the second try: a person who mistyped an address looks at the run."""

PICTURE_TRIES = 2
"""Of an address that does not answer: more likely it is mistyped than its server restarts."""


def first_task(run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function a retried task whose reason to wait stands in the state of its run."""
    first, *later = [*Environment().retry_delays, FIRST_WAIT_SECONDS]
    delays = [min(first, FIRST_WAIT_SECONDS), *later][: Environment().storycanvas_step_retries]

    def make(function: Callable[P, R]) -> Task[P, R]:
        return retrying_task(run_name)(function).with_options(
            retry_condition_fn=is_retried_and_told,
            retry_delay_seconds=delays,
            on_completion=[_clear_reason],
        )

    return make


def is_retried_and_told(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Decide for Prefect whether a failed task is retried, and write into the run's state why."""
    if not is_retryable(task, run, state):
        return False
    error = state.result(raise_on_failure=False)
    if isinstance(error, PictureUnreachable) and run.run_count >= PICTURE_TRIES:
        return False
    _set_message(run.flow_run_id, f"Waiting before the first operation: {error}")
    return True


def _clear_reason(_task: Task[..., Any], run: TaskRun, _state: State[Any]) -> None:
    if run.run_count > 1:
        _set_message(run.flow_run_id, None)


def _set_message(flow_run_id: UUID | None, message: str | None) -> None:
    """Propose the state Running once more; a run that is being cancelled stays so (Prefect 3.9)."""
    if flow_run_id is None:
        return
    try:
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(flow_run_id, Running(message=message))
    except httpx.HTTPError as error:  # the run itself goes on
        get_run_logger().warning("The state of the run was not changed: %s", error)
