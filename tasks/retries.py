"""How tasks are tried again, and how a run ends before its time.

A run that is stopped begins nothing new, and what a host works on is waited for. Prefect's worker
reads the output of its runs. When it is killed, the next log line of a run finds a broken pipe, and
the run ends as if it had called `sys.exit`, in the middle of whatever it does. So a run watches its
worker, ignores the pipe, and ends as when it is cancelled.
"""

import io
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO, Any, ClassVar, ParamSpec, TextIO, TypeVar, cast

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.exceptions import TerminationSignal
from prefect.logging.handlers import PrefectConsoleHandler

from blocks.environment import Environment
from db.connection import PAUSE_SECONDS, TRIES
from storycanvas.faces.report import STOPPED

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
    return task(
        cache_policy=NO_CACHE,
        task_run_name=run_name,
        retry_condition_fn=is_retryable,
        retries=len(delays),
        retry_delay_seconds=delays,
        retry_jitter_factor=jitter,
    )


class WorkerKilled(BaseException):
    """The worker's process was killed; like an interrupt from the keyboard, no step's failure."""


INTERRUPTS = (TerminationSignal, KeyboardInterrupt, SystemExit, WorkerKilled)
"""What ends a run from outside: Cancel in the UI, `make down`, Ctrl-C, the end of its worker."""

GRACE_SECONDS = 25.0
"""For operations that hosts work on. Prefect's worker kills a cancelled run after 30 s, and the
contact sheet of what is there takes a moment."""


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

    def check(self) -> None:
        """Raise `RunStopped` if the run is being stopped."""
        if self.begun:
            raise RunStopped(STOPPED)

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

    def wait(self, seconds: float) -> None:
        """Wait until no step is at work, at most until a time after `begin`.

        A run is stopped where it waits for its steps, and once more before its connections close;
        the second wait is what is left of the first. A step that Prefect will try again later is
        not at work.
        """
        with self._changed:
            begun = time.monotonic() if self._begun_at is None else self._begun_at
            left = max(0.0, begun + seconds - time.monotonic())
            self._changed.wait_for(lambda: not self._working, left)


LOOK_SECONDS = 0.5
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
    signal.signal(SIGNAL, _end_run)
    watch = threading.Thread(
        target=_watch, args=(os.getppid(), gone), name="watch worker", daemon=True
    )
    watch.start()


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


def _watch(worker: int, gone: threading.Event) -> None:
    while os.getppid() == worker:
        if gone.wait(LOOK_SECONDS):
            break
    os.kill(os.getpid(), SIGNAL)


def _end_run(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise WorkerKilled("The worker's process was killed. Retry goes on with what is done.")
