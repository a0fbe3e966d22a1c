"""Why a run waits: while a step of it waits for its next try, the run's state says the reason.

Of several steps that wait, the state shows the reason of the one that has waited longest. It is
shown until that step has ended: a try may itself wait long, for a host or for an answer. Where
there is no reason, the state shows how far the run is.
"""

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.context import TaskRunContext
from prefect.logging import get_run_logger
from prefect.states import Running

from storycanvas.faces.forecasts.progress import StateWords

P = ParamSpec("P")
R = TypeVar("R")

ANSWER_SECONDS = 10.0
"""For an answer of Prefect's server: a run that ends does not wait longer for its last change."""

_lock = threading.Lock()
_reasons: dict[UUID, dict[UUID, str]] = {}
"""Of each run in this process that waits, the reasons by task run, the oldest first."""
_words: dict[UUID, StateWords] = {}
"""Of each run in this process that shows it, how far it is."""


def show_reason(run_id: UUID | None, task_run_id: UUID, reason: str) -> None:
    """Show why a step of a run waits for its next try."""
    if run_id is not None:
        with _lock:
            before = _shown(run_id)
            _reasons.setdefault(run_id, {})[task_run_id] = reason
            _show(run_id, before)


def drop_reason(run_id: UUID | None, task_run_id: UUID) -> None:
    """Show no longer why a step waited; where none is left, the state has no message again."""
    if run_id is None or run_id not in _reasons:  # most steps never wait, and take no lock
        return
    with _lock:
        before = _shown(run_id)
        waiting = _reasons.get(run_id, {})
        waiting.pop(task_run_id, None)
        _show(run_id, before)
        if not waiting:
            _reasons.pop(run_id, None)  # another step may have dropped the last one meanwhile


def show_words(run_id: UUID, words: StateWords) -> None:
    """Show how far a run is, unless it shows why a step waits."""
    with _lock:
        before = _shown(run_id)
        _words[run_id] = words
        _show(run_id, before)


def forget_words(run_id: UUID) -> None:
    """Leave the state of a run as it is, and show no more of it."""
    with _lock:
        _words.pop(run_id, None)


def dropping_reason(function: Callable[P, R]) -> Callable[P, R]:
    """Make the function of a task drop the task's reason when it ends, or fails in its last try.

    Hooks of Prefect could do that, but each would log two lines for each step that was done.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            result = function(*args, **kwargs)
        except Exception:
            _drop_own(failed=True)
            raise
        _drop_own(failed=False)
        return result

    return run


def _drop_own(*, failed: bool) -> None:
    """Drop the reason of the task that runs here, unless it failed and may be tried again."""
    context = TaskRunContext.get()
    if context is None or (failed and context.task_run.run_count <= context.task.retries):
        return
    drop_reason(context.task_run.flow_run_id, context.task_run.id)


def _shown(run_id: UUID) -> StateWords:
    reason = next(iter(_reasons.get(run_id, {}).values()), None)
    return _words.get(run_id, StateWords()) if reason is None else StateWords(message=reason)


def _show(run_id: UUID, before: StateWords) -> None:
    """Propose the state Running once more; a run that is being cancelled stays so (Prefect 3.9).

    One that something else has ended or suspended would run again, so it is left alone.
    """
    words = _shown(run_id)
    if words == before:
        return
    shown: State[None] = Running(name=words.name or "Running", message=words.message)
    try:
        with get_client(httpx_settings={"timeout": ANSWER_SECONDS}, sync_client=True) as client:
            state = client.read_flow_run(run_id).state
            if state is not None and state.is_running():
                client.set_flow_run_state(run_id, shown)
    except httpx.HTTPError as error:  # the run itself goes on
        get_run_logger().warning("The state of the run was not changed: %s", error)
