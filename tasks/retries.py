"""How tasks are tried again, and how a run ends before its time.

A run that is stopped begins nothing new, and what a host works on is waited for. Prefect's worker
reads the output of its runs. When it is killed, the next log line of a run finds a broken pipe, and
the run ends as if it had called `sys.exit`, in the middle of whatever it does. So a run watches its
worker, ignores the pipe, and ends as when it is cancelled.
"""

import io
import logging
import os
import select
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import IO, Any, ClassVar, ParamSpec, TextIO, TypeVar, cast

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.exceptions import TerminationSignal
from prefect.logging.handlers import PrefectConsoleHandler

from blocks.environment import Environment
from db.connection import PAUSE_SECONDS, TRIES
from storycanvas.faces.reports.steps import STOPPED
from tasks.wait_reasons import drop_reason, dropping_reason, show_reason

P = ParamSpec("P")
R = TypeVar("R")

JITTER = 0.3


def is_retryable(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Decide for Prefect whether a failed task is retried: the error's class states it."""
    error = state.result(raise_on_failure=False)
    return bool(getattr(type(error), "retryable", False))


Condition = Callable[[Task[..., Any], TaskRun, State[Any]], bool]

tried_once: ContextVar[bool] = ContextVar("tried_once", default=False)
"""Whether tasks that fail are not tried again: what they work for is put back into its queue."""


def retries_and_tells(condition: Condition, sentence: str = "") -> Condition:
    """Make a condition of a retry show in the state of the run why the task waits.

    Args:
        condition: Whether a failed task is tried again.
        sentence: What stands before the reason; left empty, which task waits.
    """

    def retries(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
        if tried_once.get() or not condition(task, run, state):
            drop_reason(run.flow_run_id, run.id)
            return False
        error = state.result(raise_on_failure=False)
        beginning = sentence or f"Waiting for the next try of '{run.name}'"
        show_reason(run.flow_run_id, run.id, f"{beginning}: {error}")
        return True

    return retries


is_retried = retries_and_tells(is_retryable)


def retrying_task(run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function a task with the project's retries: exponential waits with jitter.

    The retries bridge outages of minutes, and a person sees them as AwaitingRetry. Blips of seconds
    are retried within a try by the clients themselves (`storycanvas.net`), while the task holds
    its slot. `STORYCANVAS_STEP_RETRIES` and `STORYCANVAS_RETRY_SECONDS` are read when the task's
    module is imported.
    `run_name` may have the task's parameters in braces.
    """
    return _task(run_name, Environment().retry_delays, JITTER)


def database_task(run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function a task on the database alone: tried as often as a connection is opened.

    A person waits for it, and what fails beyond these tries needs a person: 5 tries, 3 s apart.
    The variables can only take from that: fewer tries, or none of the waits.
    """
    environment = Environment()
    pause = PAUSE_SECONDS if environment.storycanvas_retry_seconds else 0.0
    tries = min(TRIES - 1, environment.storycanvas_step_retries)
    return _task(run_name, [pause] * tries, jitter=0.0)


def _task(
    run_name: str, delays: list[float], jitter: float
) -> Callable[[Callable[P, R]], Task[P, R]]:
    def make(function: Callable[P, R]) -> Task[P, R]:
        return task(
            cache_policy=NO_CACHE,
            task_run_name=run_name,
            retry_condition_fn=is_retried,
            retries=len(delays),
            retry_delay_seconds=delays,
            retry_jitter_factor=jitter,
        )(dropping_reason(function))

    return make


class WorkerKilled(BaseException):
    """The worker's process was killed; like an interrupt from the keyboard, no step's failure."""


INTERRUPTS = (TerminationSignal, KeyboardInterrupt, SystemExit, WorkerKilled)
"""What ends a run from outside: Cancel in the UI, `make down`, Ctrl-C, the end of its worker."""

GRACE_SECONDS = 22.0
"""For operations that hosts work on. Prefect's worker kills a cancelled run 30 s after its signal,
so all that follows has its time from the signal on, too: the contact sheet, and 5 s in which the
guard gives the slots back."""
FETCH_SECONDS = 2.0
"""For a result to arrive that a host has done and keeps: a slow link is not waited for."""
SETTLED_SECONDS = 23.0
"""Until when steps that waited for others have ended."""
SHOWN_SECONDS = 25.0
"""Until when the server has been told how each step ended."""


class RunStopped(Exception):
    """The run is being stopped, so nothing new begins."""

    retryable: ClassVar[bool] = False


class Stopping:
    """Whether a run is being stopped, and how many of its steps are at work. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._begun_at: float | None = None
        self._working = 0

    @property
    def begun(self) -> bool:
        """Whether the run is being stopped."""
        return self._begun_at is not None

    def check(self, seconds: float = 0.0, reason: str = STOPPED) -> None:
        """Raise `RunStopped` with a reason if the run is being stopped for so long."""
        if self.begun and time.monotonic() >= self.deadline(seconds):
            raise RunStopped(reason)

    def begin(self) -> None:
        """Let no step begin anything new from now on."""
        with self._changed:
            if self._begun_at is None:
                self._begun_at = time.monotonic()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count a step as being at work."""
        with self._changed:
            self._working += 1
        try:
            yield
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    def deadline(self, seconds: float) -> float:
        """Give the time that lies so long after `begin`, by this process's monotonic clock."""
        return (time.monotonic() if self._begun_at is None else self._begun_at) + seconds

    def wait(self, seconds: float) -> None:
        """Wait until no step is at work, at most until a time after `begin`.

        A run is stopped where it waits for its steps, and once more before its connections close;
        the second wait is what is left of the first. A step that Prefect will try again later is
        not at work.
        """
        left = max(0.0, self.deadline(seconds) - time.monotonic())
        with self._changed:
            self._changed.wait_for(lambda: not self._working, left)


LOOK_SECONDS = 0.5
AGAIN_SECONDS = 5.0
SIGNAL = signal.SIGHUP
"""It breaks off what the main thread waits for; SIGTERM is Prefect's own."""


def watch_worker() -> None:
    """Watch the worker that started this process for a run.

    Only the main thread can be interrupted, so elsewhere nothing is watched.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    gone = threading.Event()
    for handler in (*logging.getLogger("prefect").handlers, *logging.getLogger().handlers):
        if isinstance(handler, PrefectConsoleHandler):
            pipe = PipeToWorker(handler.console.file, gone)
            handler.console.file = cast("TextIO", pipe)
    watch = WorkerWatch(gone)
    signal.signal(SIGNAL, watch.end_run)
    threading.Thread(target=watch.run, name="watch worker", daemon=True).start()


class WorkerWatch:
    """Ends this process's run when its worker is gone.

    The worker may have been killed before this process could look for it. Its pipe tells that as
    well, since only the worker has the other end.

    Args:
        gone: Set when the run's output is found to have no reader.
    """

    def __init__(self, gone: threading.Event) -> None:
        self._gone = gone
        self._worker = os.getppid()
        self._raised: weakref.ref[WorkerKilled] | None = None

    def run(self) -> None:
        """Wait for the worker's end, then end the run."""
        while not self._gone.wait(LOOK_SECONDS) and self._is_there():
            pass
        while True:
            signal.pthread_kill(threading.main_thread().ident or 0, SIGNAL)
            time.sleep(AGAIN_SECONDS)

    def end_run(self, number: int, frame: FrameType | None) -> None:
        """Raise `WorkerKilled` in the main thread, unless the run is being ended by it already.

        What met the exception in a destructor or a callback of the interpreter is lost there: it
        is raised again then, once nothing refers to it any more.
        """
        del number, frame
        if self._raised is not None and self._raised() is not None:
            return
        raise self._noted()  # a name of this frame would keep it alive

    def _noted(self) -> WorkerKilled:
        killed = WorkerKilled("The worker's process was killed. Retry goes on with what is done.")
        self._raised = weakref.ref(killed)
        return killed

    def _is_there(self) -> bool:
        return os.getppid() == self._worker and not _has_no_reader(1)


def _has_no_reader(descriptor: int) -> bool:
    """Check whether a descriptor is a pipe that nothing reads; False for a file or a terminal."""
    asked = select.poll()
    asked.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in asked.poll(0))


class PipeToWorker(io.TextIOBase):
    """The run's output, which goes nowhere once the worker that reads it is gone.

    Args:
        stream: The output.
        gone: Set when it has no reader any more.
    """

    def __init__(self, stream: IO[str], gone: threading.Event) -> None:
        self._stream = stream
        self._gone = gone

    def write(self, text: str) -> int:
        """Write, unless there is no reader any more."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._gone.set()
            return len(text)

    def flush(self) -> None:
        """Flush, unless there is no reader any more."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._gone.set()

    def isatty(self) -> bool:
        """Whether a person sees it."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor below."""
        return self._stream.fileno()
