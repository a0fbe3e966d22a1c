"""What a host keeps of operations over requests and starts: results, records, their outputs."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterator

from storycanvas.faces.contract import OperationState, OperationStatus
from storycanvas.faces.errors import EngineFailed, FaceError, OperationNotFound
from storycanvas.host.operations.progress import Progress, RunControl
from storycanvas.host.operations.records import OperationRecord, OperationRecords
from storycanvas.host.operations.results import ResultStore, output_of, reused
from storycanvas.host.operations.run import Request, Run, as_face_error, open_status
from storycanvas.host.storage.outputs import Outputs

_log = logging.getLogger(__name__)

MAX_LISTED = 100
MAX_RESTARTS = 3
"""After so many kills of the host an operation is given up: it may be what kills the host."""


class KeptOperations:
    """The operations on the disk, and the ends that it does not take yet.

    Args:
        results: Answers by idempotency key.
        records: Operations that were promised.
        outputs: Their pictures.
        live: The runs of this process by their ids; one that was replaced there keeps nothing.
    """

    def __init__(
        self,
        results: ResultStore,
        records: OperationRecords,
        outputs: Outputs,
        live: dict[str, Run],
    ) -> None:
        self._results = results
        self._records = records
        self._outputs = outputs
        self._live = live

    def id_of(self, owner: str, key: str | None) -> str:
        """Make an operation's id."""
        return self._records.id_of(owner, key)

    def answer(
        self, operation_id: str, request: Request
    ) -> tuple[str, OperationRecord | None] | None:
        """Find an answer whose output can still be fetched."""
        run = self._live.get(operation_id)
        unwritten = run.current_record() if run is not None and run.unwritten else None
        record = unwritten or self._records.find(operation_id, request.owner)
        body = None if record is None else record.body
        if record is not None and body is not None and record.fingerprint != request.fingerprint:
            raise reused(request.key or "")
        if body is None:
            record = None
            body = self._results.find(request.kept_as or "", request.fingerprint)
        if body is None:
            return None
        output = output_of(body)
        if output is not None and not self._outputs.promise(output):
            _log.info("a kept result has lost its picture %s; the operation runs again", output)
            return None
        return body, record

    async def end(self, run: Run) -> FaceError | None:
        """Keep how a run has ended; return why it failed because the disk does not take that."""
        try:
            await self._keep(run)
        except (FaceError, OSError) as failure:
            error = as_face_error(failure)
            run.unwritten = run.on_disk
            if not run.unwritten:
                run.finish(None, error)
                return error
            # It was promised, so its end stays here until the disk takes it.
            _log.error("the end of %s is not written yet: %s", run.id, error)
        return None

    async def _keep(self, run: Run) -> None:
        """Keep what a repeated request is answered with; a run that was replaced keeps nothing."""
        if self._live.get(run.id) is not run:
            return
        await self.write(run)
        key, body = run.request.kept_as, run.body
        if run.record is None and key and body is not None:
            await asyncio.to_thread(self._results.keep, key, run.request.fingerprint, body)

    async def write_late(self, run: Run) -> None:
        """Write an end that the disk did not take; a host that is killed before does it again."""
        if not run.unwritten:
            return
        try:
            await self.write(run)
        except (FaceError, OSError):
            return  # logged when it ended
        run.unwritten = False
        if self._live.get(run.id) is run:
            del self._live[run.id]

    async def leave(self, run: Run) -> None:
        """Leave a promised operation to the next start; a stop is none of its failures."""
        if run.record is not None:
            run.record = run.record.model_copy(update={"restarts": 0})
        try:
            await self.write(run)
        finally:
            run.control.progress.enter("queued")

    async def write(self, run: Run) -> None:
        """Write the record of a run that was promised; raises what the disk does."""
        async with run.writing:
            record = run.current_record()
            if record is not None and self._live.get(run.id) is run:
                await asyncio.to_thread(self._records.keep, record)
                run.on_disk = True

    def promised(self, request_of: Callable[[OperationRecord], Request]) -> Iterator[Run]:
        """Take up what was promised before the host was started again, in the same order."""
        for record in self._records.open_ones():
            again = record.model_copy(update={"restarts": record.restarts + 1})
            control = RunControl(promised=True, taken=True, progress=Progress(record.created_at))
            try:
                request = request_of(record)
            except ValueError as error:
                _log.warning("the operation %s cannot be read: %s", record.id, error)
                request = _given_up(record, "It was taken by another version of the host.")
            if again.restarts > MAX_RESTARTS:
                request = _given_up(record, f"It was begun {MAX_RESTARTS + 1} times.")
            try:
                self._records.keep(again)
            except (FaceError, OSError) as error:  # a full disk; it waits for room
                _log.warning("the record of %s cannot be written: %s", record.id, error)
            yield Run(record.id, request, control, again, on_disk=True)

    def recent(self, count: int) -> Iterator[tuple[str, OperationStatus]]:
        """Go through the newest ends, each with its owner."""
        return itertools.islice(self._records.ended_ones(), count)

    def status(self, operation_id: str, owner: str) -> OperationStatus:
        """Read how far an operation has come; `OperationNotFound` if the owner has none."""
        record = self._records.find(operation_id, owner)
        if record is None:
            raise OperationNotFound(
                "The host has no operation of this id, or not any more; send the operation again."
            )
        if record.ended is None:
            return open_status(record)
        if record.ended.result is not None and record.ended.result.output_path:
            self._outputs.promise(record.ended.result.output_path)
        return record.ended

    def ended(self, owner: str, state: OperationState | None) -> list[OperationStatus]:
        """List an owner's newest ends."""
        ended = (
            status
            for its_owner, status in self._records.ended_ones()
            if its_owner == owner and state in {None, status.state}
        )
        return list(itertools.islice(ended, MAX_LISTED))


def _given_up(record: OperationRecord, reason: str) -> Request:
    """Replace the work of an operation that this host cannot or must not begin again."""

    async def refuse(_: RunControl) -> str:
        raise EngineFailed(
            f"The host was killed or replaced before {record.operation} was done, and gives it up. "
            f"{reason} Send it again, and look into the host's log and that of the system."
        )

    return Request(record.operation, record.fingerprint, refuse, record.key, record.owner)
