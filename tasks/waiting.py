"""Tasks that a run needs before its first operation, where a person who mistyped looks at it."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun

from blocks.environment import Environment
from storycanvas.faces.errors import PictureUnreachable
from tasks.retries import is_retryable, retries_and_tells, retrying_task

P = ParamSpec("P")
R = TypeVar("R")

FIRST_WAIT_SECONDS = 2.0
"""Longest wait before the second try: a person who mistyped an address looks at the run."""

PICTURE_TRIES = 2
"""Of an address that does not answer: more likely it is mistyped than its server restarts."""


def first_task(run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function a retried task that is tried again soon, a picture's address only once."""
    first, *later = [*Environment().retry_delays, FIRST_WAIT_SECONDS]
    delays = [min(first, FIRST_WAIT_SECONDS), *later][: Environment().storycanvas_step_retries]

    def make(function: Callable[P, R]) -> Task[P, R]:
        return retrying_task(run_name)(function).with_options(
            retry_condition_fn=is_retried_before_first_operation, retry_delay_seconds=delays
        )

    return make


def is_first_try_worth_repeating(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Decide for Prefect whether a task before the first operation is tried again."""
    error = state.result(raise_on_failure=False)
    mistyped = isinstance(error, PictureUnreachable) and run.run_count >= PICTURE_TRIES
    return not mistyped and is_retryable(task, run, state)


is_retried_before_first_operation = retries_and_tells(
    is_first_try_worth_repeating, "Waiting before the first operation"
)
