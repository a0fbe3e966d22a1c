"""Which failures of a task are tried again: those whose class says that they may pass."""

from typing import Any, TypedDict

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun

from blocks.environment import Environment

JITTER = 0.3


class RetryOptions(TypedDict, total=False):
    """Options for `Task.with_options`."""

    retries: int
    retry_delay_seconds: list[float]
    retry_jitter_factor: float


def retry_options(environment: Environment) -> RetryOptions:
    """Make a task's retry options: exponential waits with jitter, none in tests."""
    delays = environment.retry_delays
    options = RetryOptions(retries=len(delays), retry_delay_seconds=delays)
    if any(delays):
        options["retry_jitter_factor"] = JITTER
    return options


def may_pass(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Decide for Prefect whether a failed task is tried again."""
    error = state.result(raise_on_failure=False)
    return bool(getattr(type(error), "retryable", False))
