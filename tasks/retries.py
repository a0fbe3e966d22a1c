"""The retry policy of all tasks: what is retried, how often and after which waits."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from blocks.environment import Environment

P = ParamSpec("P")
R = TypeVar("R")

JITTER = 0.3


def is_retryable(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Decide for Prefect whether a failed task is retried: the error's class states it."""
    error = state.result(raise_on_failure=False)
    return bool(getattr(type(error), "retryable", False))


def retrying_task(run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function a task with the project's retries: exponential waits with jitter.

    The retries bridge outages of minutes, and a person sees them as AwaitingRetry. Blips of seconds
    are retried within a try by the clients themselves (`storycanvas.net`), while the task holds
    its slot. `STORYCANVAS_STEP_RETRIES` and `STORYCANVAS_RETRY_SECONDS` are read when the task's
    module is imported.
    `run_name` may have the task's parameters in braces.
    """
    delays = Environment().retry_delays
    return task(
        cache_policy=NO_CACHE,
        task_run_name=run_name,
        retry_condition_fn=is_retryable,
        retries=len(delays),
        retry_delay_seconds=delays,
        retry_jitter_factor=JITTER,
    )
