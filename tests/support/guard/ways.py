"""The ways in which one process sends its calls to GPU hosts.

All but the bare loop submit every call at once, as a plan with independent steps does.
"""

import contextvars
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from prefect.concurrency.sync import concurrency

from storycanvas.faces.operations import DetectOperation
from storycanvas.gpu.guard.limit import GuardClosed
from storycanvas.gpu.pool.attempt import HostAttempt, OperationRequest, run_with_failover
from storycanvas.gpu.pool.health import GpuHost
from storycanvas.gpu.pool.pool import HostPool
from tests.support.guard.counting_host import ENGINE

WAIT_SECONDS = 900.0
PICTURE = f"asset:{'0' * 64}.png"
"""The judge looks at no picture."""
AGAIN_SECONDS = 0.5
"""How long a call waits when the limit was found switched off."""


@dataclass(frozen=True)
class WorkerTask:
    """What one process has to do.

    Attributes:
        way: Which of `WAYS`.
        name: The process's name, which the judge notes with each call.
        calls: How many calls.
        limits: The limit of each host.
        urls: The address of each host, in the same order.
        done_file: Where answered calls are noted, so that a process that replaces a killed one
            leaves them out; empty for none. With it a limit that is switched off is waited for.
        priority: Larger goes first.
        dies: Whether the process kills itself after its first call, with its slot held.
    """

    way: str
    name: str
    calls: int
    limits: list[str]
    urls: list[str]
    done_file: str = ""
    priority: int = 0
    dies: bool = False


class Work:
    """The calls of a task.

    Args:
        task: What is to be done.
        client: Connections to the hosts; shared by all threads.
    """

    def __init__(self, task: WorkerTask, client: httpx.Client) -> None:
        self.task = task
        self._client = client
        done = Path(task.done_file) if task.done_file else None
        noted = set(done.read_text().split()) if done and done.exists() else set()
        self._done = done
        self.left = [name for name in map(str, range(task.calls)) if name not in noted]
        self.waits_for_limit = done is not None

    def call(self, operation: str, url: str = "") -> None:
        """Call a host, the first by default, and note that it answered.

        Raises:
            httpx.HTTPError: It did not.
        """
        target = f"{url or self.task.urls[0]}/{self.task.name}/{operation}"
        self._client.post(target).raise_for_status()
        self.note(operation)

    def note(self, operation: str) -> None:
        """Note that an operation was answered."""
        if self._done:
            with self._done.open("a") as file:
                file.write(f"{operation}\n")


@contextmanager
def bare(work: Work) -> Iterator[Callable[[], None]]:
    """Call one after the other, without any guard: as fast as it can be."""

    def run() -> None:
        for operation in work.left:
            work.call(operation)

    yield run


@contextmanager
def plain(work: Work) -> Iterator[Callable[[], None]]:
    """Take Prefect's limit around each call, as its documentation shows."""

    def call(operation: str) -> None:
        with concurrency(work.task.limits[0], occupy=1, strict=True):
            work.call(operation)

    yield lambda: _all_at_once(call, work.left)


@contextmanager
def guarded(work: Work) -> Iterator[Callable[[], None]]:
    """Do each call as runs do their operations: submitted and polled on the first free host."""
    task = work.task
    hosts = [GpuHost(url, limit) for url, limit in zip(task.urls, task.limits, strict=True)]
    request = OperationRequest(
        operation=DetectOperation(),
        engine=ENGINE,
        bring=lambda _: [PICTURE],
        run=task.name,
        run_id="",
        wait_seconds=WAIT_SECONDS,
        priority=task.priority,
    )
    with HostPool(hosts) as pool:
        if not work.waits_for_limit:
            pool.check()
        pool.status()

        def call(operation: str) -> None:
            def attempt(attempt: HostAttempt) -> None:
                with attempt.held() as (host, assets):
                    if task.dies:  # with its slot: an operation's end would give it back before
                        work.call(operation, host.name)
                        os.kill(os.getpid(), signal.SIGKILL)
                    key = f"{task.name}:{operation}"
                    attempt.operate(host, assets, key, lambda: None)
                    work.note(operation)

            while True:
                try:
                    return run_with_failover(pool, request, attempt)
                except GuardClosed:
                    if not work.waits_for_limit:
                        raise
                    time.sleep(AGAIN_SECONDS)

        yield lambda: _all_at_once(call, work.left)


def _all_at_once(call: Callable[[str], None], items: Sequence[str]) -> None:
    if not items:
        return
    with ThreadPoolExecutor(len(items)) as threads:
        for done in [threads.submit(contextvars.copy_context().run, call, item) for item in items]:
            done.result()


WAYS = {"bare": bare, "plain": plain, "guarded": guarded}
