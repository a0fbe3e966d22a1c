"""Which failures of a task are tried again: those whose class says that they may pass."""

from typing import Any, ParamSpec, TypeVar

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun

from blocks.environment import Environment

P = ParamSpec("P")
R = TypeVar("R")

JITTER = 0.3


def with_retries(work: Task[P, R], environment: Environment) -> Task[P, R]:
    """Give a task its retries: exponential waits with jitter, as many as the environment says.

    They are for outages of minutes. Blips of a second the face host's client bridges by itself
    within each try (`storycanvas.faces.client.retries`), while the task holds its slot.

    Args:
        work: A task whose `retry_condition_fn` is `is_retryable`.
        environment: Number and length of the waits; tests make them zero.
    """
    delays = environment.retry_delays
    waiting = work.with_options(retries=len(delays), retry_delay_seconds=delays)
    return waiting.with_options(retry_jitter_factor=JITTER) if any(delays) else waiting


def is_retryable(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Decide for Prefect whether a failed task is tried again."""
    error = state.result(raise_on_failure=False)
    return bool(getattr(type(error), "retryable", False))
