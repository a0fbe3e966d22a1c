"""Loads the engine and gives its memory back: when asked, and after a time without work."""

import asyncio
import logging
import time
from collections.abc import Callable

from storycanvas.faces.errors import HostNotReady
from storycanvas.host.engines.engine import Engine
from storycanvas.host.operations.work_queue import WorkQueue, in_thread

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
"""How often an engine that starts or loads is looked at: its time without work begins after it."""


class EngineMemory:
    """What loads and unloads an engine, one after the other; belongs to one event loop.

    Args:
        engine: What is loaded.
        queue: Knows when the engine was used last.
        idle_seconds: Time without work after which memory is given back; 0 keeps it.
    """

    def __init__(self, engine: Engine, queue: WorkQueue, idle_seconds: float) -> None:
        self._engine = engine
        self._queue = queue
        self._idle_seconds = idle_seconds
        self._loaded_at = time.monotonic()
        self._turn = asyncio.Lock()  # first come first served, unlike a lock of threads
        self._last: asyncio.Task[None] | None = None

    async def load(self, seconds: float) -> bool:
        """Have the engine load; return whether it has done so within a time.

        Raises:
            HostNotReady: It cannot, or not what `--preload` names; or the host stops.
        """
        self._queue.check_open()
        done = await self._within(self._joined("load", self._engine.load), seconds)
        reason = self._engine.health.reason
        if done and reason is not None:
            raise HostNotReady(reason)
        return done

    async def unload(self, seconds: float) -> bool:
        """Have the engine unload; return whether it has done so within a time.

        Raises:
            HostNotReady: The engine does not run, or the host stops.
        """
        self._queue.check_open()
        return await self._within(self._joined("unload", self._engine.unload), seconds)

    async def keep_up(self) -> None:
        """Unload whenever nothing was done for the time, until cancelled."""
        while self._idle_seconds:
            left = self._seconds_left()
            if left <= 0:
                if self._engine.health.loaded:
                    _log.info("nothing was done for %g min", self._idle_seconds / 60)
                    await asyncio.wait({self._joined("unload", self._engine.unload)})
                left = self._idle_seconds  # at least: nothing was done up to now
            await asyncio.sleep(left)

    def _seconds_left(self) -> float:
        now = time.monotonic()
        # A load waits for what runs before it, and the engine is `ok` meanwhile.
        if self._engine.readiness != "ok" or self._engine.health.loading or self._is_last("load"):
            self._loaded_at = now
            return min(_LOOK_SECONDS, self._idle_seconds)
        return self._idle_seconds - min(self._queue.idle_seconds, now - self._loaded_at)

    def _joined(self, name: str, work: Callable[[], None]) -> asyncio.Task[None]:
        """Join what is under way if it is the last that was asked for and the same; else begin."""
        if self._last is None or not self._is_last(name):
            self._last = asyncio.create_task(self._do(name, work), name=name)
            self._last.add_done_callback(_log_failure)
        return self._last

    def _is_last(self, name: str) -> bool:
        return bool(self._last and not self._last.done() and self._last.get_name() == name)

    async def _do(self, name: str, work: Callable[[], None]) -> None:
        async with self._turn:
            if asyncio.current_task() is not self._last:
                return  # the opposite was asked for since, and would undo this at once
            await in_thread(work, name)
            if name == "load":
                self._loaded_at = time.monotonic()

    @staticmethod
    async def _within(task: asyncio.Task[None], seconds: float) -> bool:
        await asyncio.wait({task}, timeout=seconds)
        if task.done():
            task.result()
        return task.done()


def _log_failure(task: asyncio.Task[None]) -> None:
    """Log what fails behind an answer 202, whose client does not learn of it."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, HostNotReady):
        _log.warning("%s: %s", task.get_name(), error)
    elif error is not None:
        _log.error("%s failed", task.get_name(), exc_info=error)
