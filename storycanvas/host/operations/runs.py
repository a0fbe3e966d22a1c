"""Running and finished operations by idempotency key: a key never runs a second time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from storycanvas.faces.errors import EngineFailed, FaceError, OperationTimedOut
from storycanvas.host.operations.results import ResultStore, output_of, reused
from storycanvas.host.storage.assets import AssetStore

_log = logging.getLogger(__name__)

Apply = Callable[[Callable[[], None]], Awaitable[str]]
"""Does an operation, calls its argument when the engine starts, and returns the answer's body."""


@dataclass(frozen=True)
class _Run:
    fingerprint: str
    task: asyncio.Task[str]
    begun: asyncio.Future[None]


class OperationRuns:
    """Runs operations independently of the requests that asked for them.

    A request may end, by a lost connection or its time limit; its operation goes on, its result
    is kept, and the next request with the same key finds it.
    """

    def __init__(self, results: ResultStore, assets: AssetStore, operation_seconds: float) -> None:
        self._results = results
        self._assets = assets
        self._operation_seconds = operation_seconds
        self._by_key: dict[str, _Run] = {}
        self._tasks: set[asyncio.Task[str]] = set()

    async def answer(self, key: str | None, fingerprint: str, apply: Apply) -> str:
        """Run an operation, join its run, or return the result that is kept.

        Without a key the operation always runs.

        Raises:
            IdempotencyKeyReused: The key belongs to a request with another fingerprint.
            OperationTimedOut: The engine exceeded its time; the operation goes on.
            FaceError: What went wrong while it ran.
        """
        run = self._by_key.get(key) if key else None
        if run is not None and run.fingerprint != fingerprint:
            raise reused(key or "")
        if run is None:
            # No await between the look-up and the start: another request could start a second run.
            kept = self._kept(key, fingerprint) if key else None
            if kept is not None:
                return kept
            run = self._start(key, fingerprint, apply)
        return await self._outcome(run)

    @property
    def under_way(self) -> int:
        """Operations that have not ended, also those whose requests have gone."""
        return len(self._tasks)

    async def finish(self, seconds: float) -> None:
        """Wait for what is under way, at most so many seconds."""
        if not self._tasks:
            return
        _, unfinished = await asyncio.wait(self._tasks, timeout=seconds)
        if unfinished:
            _log.warning("%d operations did not end within %g s", len(unfinished), seconds)

    def _kept(self, key: str, fingerprint: str) -> str | None:
        """Find a result whose output can still be fetched."""
        body = self._results.find(key, fingerprint)
        output = None if body is None else output_of(body)
        if output is not None and not self._assets.promise(output):
            _log.info("a kept result has lost its picture %s; the operation runs again", output)
            return None
        return body

    def _start(self, key: str | None, fingerprint: str, apply: Apply) -> _Run:
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(self._run(key, fingerprint, apply, begun))
        run = _Run(fingerprint, task, begun)
        self._tasks.add(task)
        if key:
            self._by_key[key] = run
        task.add_done_callback(lambda _: self._ended(key, run))
        return run

    async def _run(
        self, key: str | None, fingerprint: str, apply: Apply, begun: asyncio.Future[None]
    ) -> str:
        try:
            body = await apply(lambda: begun.set_result(None))
            if key:
                await asyncio.to_thread(self._results.keep, key, fingerprint, body)
        except FaceError:
            raise
        except Exception as error:
            # Logged here, because the clients that asked may have gone.
            _log.exception("an operation failed unexpectedly")
            raise EngineFailed("The host failed unexpectedly; its log has the cause.") from error
        return body

    def _ended(self, key: str | None, run: _Run) -> None:
        self._tasks.discard(run.task)
        if key:
            del self._by_key[key]
        if not run.begun.done():
            run.begun.set_result(None)
        if not run.task.cancelled():
            run.task.exception()  # retrieved, else asyncio logs it when no client waits

    async def _outcome(self, run: _Run) -> str:
        await asyncio.wait({run.begun})
        done, _ = await asyncio.wait({run.task}, timeout=self._operation_seconds)
        if not done:
            raise OperationTimedOut(
                f"The engine did not end within {self._operation_seconds:g} s. It goes on: ask "
                "again with the same idempotency key to get its result."
            )
        return run.task.result()
