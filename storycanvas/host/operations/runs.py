"""Running and finished operations by id and idempotency key: a key never runs a second time."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from storycanvas.faces.contract import OperationState, OperationStatus
from storycanvas.faces.errors import FaceError, HostNotReady, OperationTimedOut
from storycanvas.host.operations.kept_operations import MAX_LISTED, KeptOperations
from storycanvas.host.operations.progress import RunControl
from storycanvas.host.operations.records import OperationRecord, OperationRecords
from storycanvas.host.operations.results import ResultStore, reused
from storycanvas.host.operations.run import Request, Run, kept_status, outcome_of
from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.host.storage.outputs import Outputs

_log = logging.getLogger(__name__)

MAX_RECENT = 30
CANCEL_SECONDS = 10.0
"""Longest wait of a cancellation until the engine has let go of the operation."""


class OperationRuns:
    """Runs operations independently of the requests that asked for them.

    A request may end, by a lost connection or its time limit; its operation goes on, its result
    is kept, and the next request with the same key finds it.

    Attributes:
        recent: The last ends with their owners, the newest first; also of what is not kept.
    """

    def __init__(
        self,
        results: ResultStore,
        records: OperationRecords,
        outputs: Outputs,
        queue: WorkQueue,
        operation_seconds: float,
        count_ended: Callable[[OperationStatus], None],
    ) -> None:
        self._queue = queue
        self._operation_seconds = operation_seconds
        self._count_ended = count_ended
        self.recent: deque[tuple[str, OperationStatus]] = deque(maxlen=MAX_RECENT)
        self._live: dict[str, Run] = {}
        self._kept = KeptOperations(results, records, outputs, self._live)
        self._tasks: set[asyncio.Task[str]] = set()

    async def answer(self, request: Request) -> str:
        """Run an operation, join its run, or return the answer that is kept.

        Without a key the operation always runs; it is dropped when this is cancelled before the
        engine begins, since its result could not be asked for.

        Raises:
            IdempotencyKeyReused: The key belongs to a request with another fingerprint.
            OperationTimedOut: The engine exceeded its time; the operation goes on.
            FaceError: What went wrong while it ran.
        """
        found = self._find_or_start(request)
        if not isinstance(found, Run):
            return found[0]
        try:
            return await self._outcome(found)
        except asyncio.CancelledError:
            self._drop(found)
            raise

    async def submit(self, request: Request) -> OperationStatus:
        """Take an operation and return once it is certain to be done, also over a restart.

        Raises:
            IdempotencyKeyReused: The key belongs to a request with another fingerprint.
            HostFull: The queue is full.
            HostNotReady: The host is stopping, its engine hangs, or its disk is full.
            PictureNotFound: The host does not have an input.
        """
        found = self._find_or_start(request)
        if not isinstance(found, Run):
            body, record = found
            operation_id = self._kept.id_of(request.owner, request.key)
            return kept_status(operation_id, request.operation, body, record)
        found.promise()
        await found.control.admitted.wait()
        if found.control.ticket is None and found.outcome is not None:
            await asyncio.wait({found.outcome})
            found.outcome.result()  # raises why it was not admitted
        try:
            await self._kept.write(found)
        except (FaceError, OSError) as error:
            if not found.on_disk:
                found.withdraw(error)
                if found.request is request:  # else another client waits for it
                    # Before the cancellation, which takes a while, so that no request joins it.
                    if self._live.get(found.id) is found:
                        del self._live[found.id]
                    await self._end(found, error)
            raise
        if found.unrecorded is not None:  # by the write of a submission with the same key
            raise found.unrecorded
        return found.status(self._queue.place_of)

    async def status(
        self, operation_id: str, owner: str, seconds: float = 0.0, after: int | None = None
    ) -> OperationStatus:
        """Return how far an operation has come, once that changes or the time is over.

        Args:
            operation_id: Its id.
            owner: Name of the caller's token.
            seconds: Longest wait.
            after: The revision that the caller knows; None takes the present one.

        Raises:
            OperationNotFound: That owner has no operation of that id.
        """
        run = self._run_of(operation_id, owner)
        if run is None:
            return self._kept.status(operation_id, owner)
        await self._kept.write_late(run)
        progress = run.control.progress
        await progress.changed(progress.revision if after is None else after, seconds)
        return run.status(self._queue.place_of)

    async def of_key(self, key: str, owner: str) -> OperationStatus:
        """Return how far the operation of an idempotency key has come; nothing is begun.

        Raises:
            OperationNotFound: That owner has no operation of that key.
        """
        return await self.status(self._kept.id_of(owner, key), owner)

    async def cancel(self, operation_id: str, owner: str) -> OperationStatus:
        """Cancel an operation, whatever its phase; one that has ended stays as it is.

        Raises:
            OperationNotFound: That owner has no operation of that id.
        """
        run = self._run_of(operation_id, owner)
        if run is None:
            return self._kept.status(operation_id, owner)
        await self._end(run)
        return run.status(self._queue.place_of)

    async def listed(self, owner: str, state: OperationState | None) -> list[OperationStatus]:
        """List an owner's operations: the open ones by their turn, then the newest ends."""
        known = [status for its_owner, status in self.open_ones() if its_owner == owner]
        live = [status for status in known if state in {None, status.state}]
        if state in {"waiting", "running"}:
            return live[:MAX_LISTED]
        ended = await asyncio.to_thread(self._kept.ended, owner, state)
        return [*live, *ended][:MAX_LISTED]

    def restore(self, request_of: Callable[[OperationRecord], Request]) -> None:
        """Take up what was promised before the host was started again, in the same order."""
        self.recent.extend(self._kept.recent(MAX_RECENT))
        for run in self._kept.promised(request_of):
            self._begin(run)
        if self._live:
            _log.info("operations taken up from before the start: %d", len(self._live))

    def open_ones(self) -> list[tuple[str, OperationStatus]]:
        """List what has not ended by its turn, each with its owner."""
        live = [
            (run.request.owner, run.status(self._queue.place_of)) for run in self._live.values()
        ]
        # Those that run first, then by their place in the queue.
        return sorted(live, key=lambda found: (found[1].state != "running", found[1].place or 0))

    @property
    def under_way(self) -> int:
        """Operations that have not ended, also those whose requests have gone."""
        return len(self._tasks)

    async def finish(self, seconds: float) -> None:
        """Wait for what is under way, at most so many seconds."""
        for run in list(self._live.values()):
            await self._kept.write_late(run)
        if not self._tasks:
            return
        _, unfinished = await asyncio.wait(self._tasks, timeout=seconds)
        if unfinished:
            _log.warning("%d operations did not end within %g s", len(unfinished), seconds)

    def _find_or_start(self, request: Request) -> Run | tuple[str, OperationRecord | None]:
        # No await from the look-up to the start: another request could start a second run.
        operation_id = self._kept.id_of(request.owner, request.key)
        run = self._live.get(operation_id)
        if run is not None and not run.is_ending:
            if run.request.fingerprint != request.fingerprint:
                raise reused(request.key or "")
            return run
        kept = self._kept.answer(operation_id, request) if request.key else None
        if kept is not None:
            return kept
        run = Run(operation_id, request, RunControl())
        self._begin(run)
        return run

    def _begin(self, run: Run) -> None:
        self._live[run.id] = run
        run.applied = asyncio.ensure_future(run.request.apply(run.control))
        run.outcome = asyncio.ensure_future(self._run(run, run.applied))
        self._tasks.add(run.outcome)
        run.outcome.add_done_callback(lambda outcome: self._ended(run, outcome))

    async def _run(self, run: Run, applied: "asyncio.Task[str]") -> str:
        body, error = await outcome_of(run, applied)
        if isinstance(error, HostNotReady) and run.record and self._queue.state == "stopping":
            await self._kept.leave(run)
            raise error
        if run.control.ticket is None and not run.control.promised:
            run.record = None  # it was refused, so nothing was promised
        run.finish(body, error)
        error = await self._kept.end(run) or error
        run.control.progress.end(run.final.state if run.final else "failed")
        if error is not None:
            raise error
        return body or ""

    async def _end(self, run: Run, refusal: FaceError | OSError | None = None) -> None:
        """End a run; requests that have joined it get the refusal, if there is one."""
        if run.outcome is None or run.applied is None:
            return
        if run.final is None:
            run.refusal = refusal
            if await asyncio.to_thread(run.control.cancellation.cancel):
                await asyncio.wait({run.applied}, timeout=CANCEL_SECONDS)
            run.applied.cancel()
        await asyncio.wait({run.outcome})

    def _drop(self, run: Run) -> None:
        """Drop what has not begun and cannot be asked for again, since its client has gone."""
        if run.request.key or run.record or run.control.progress.begun.is_set() or not run.applied:
            return
        _log.info("%s is dropped: its client has gone, and it has no key", run.request.operation)
        run.control.cancellation.cancel()
        run.applied.cancel()

    def _ended(self, run: Run, outcome: "asyncio.Task[str]") -> None:
        self._tasks.discard(outcome)
        if self._live.get(run.id) is run and not run.unwritten:
            del self._live[run.id]
        run.control.admitted.set()
        run.control.progress.begun.set()
        if run.final is not None:
            self.recent.appendleft((run.request.owner, run.final))
            self._count_ended(run.final)
        if not outcome.cancelled():
            outcome.exception()  # retrieved, else asyncio logs it when no client waits

    async def _outcome(self, run: Run) -> str:
        await run.control.progress.begun.wait()
        assert run.outcome is not None  # noqa: S101 - set before the run is known
        if not await self._queue.ended(run.outcome):
            raise OperationTimedOut(
                f"The engine did not end within {self._operation_seconds:g} s. It goes on: ask "
                "again with the same idempotency key to get its result."
            )
        return run.outcome.result()

    def _run_of(self, operation_id: str, owner: str) -> Run | None:
        run = self._live.get(operation_id)
        return run if run is not None and run.request.owner == owner else None
