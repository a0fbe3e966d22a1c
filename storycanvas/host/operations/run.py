"""One operation under way: who asked for it, how far it has come, and what is kept of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from storycanvas.faces.contract import (
    ErrorDetail,
    OperationAnswer,
    OperationState,
    OperationStatus,
    Phases,
)
from storycanvas.faces.errors import EngineFailed, FaceError, OperationCancelled
from storycanvas.host.engines.cancelling import cancelled
from storycanvas.host.operations.progress import RunControl
from storycanvas.host.operations.records import OperationRecord

_log = logging.getLogger(__name__)

Apply = Callable[[RunControl], Awaitable[str]]
"""Does an operation, records on its argument how far it has come, and returns the answer's body."""

Place = Callable[[int], int | None]
"""Finds the place in the queue of a ticket."""


@dataclass(frozen=True)
class Request:
    """Who asks for what.

    Attributes:
        operation: Its path.
        fingerprint: Hash of the request.
        apply: Does it.
        key: The idempotency key; None lets it run in any case.
        owner: Name of the caller's token; empty where tokens have no names.
        body: The request on the wire, from which another process can do it.
    """

    operation: str
    fingerprint: str
    apply: Apply
    key: str | None = None
    owner: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kept_as(self) -> str | None:
        """The name of its kept result: the same key of two owners is two keys."""
        return f"{self.owner}\n{self.key}" if self.owner and self.key else self.key


@dataclass(eq=False)
class Run:
    """One run of an operation; a key that is used again after a failure gets another one.

    Attributes:
        id: The operation's id.
        request: What is done.
        control: How far it has come.
        record: What is on the disk; None if nothing was promised.
        unrecorded: Why the disk did not take its record, so that nothing was promised.
        refusal: Why its submission was refused, and it with it.
        applied: Does it.
        outcome: Ends once the result is kept.
        final: What the id is answered with from now on; set before it is written.
        body: The answer as it is sent; only of a success.
        on_disk: Whether there is a record of it.
        unwritten: Whether its end is known here alone, since the disk took no record of it.
        writing: Orders the writes of the record.
    """

    id: str
    request: Request
    control: RunControl
    record: OperationRecord | None = None
    unrecorded: FaceError | OSError | None = None
    refusal: FaceError | OSError | None = None
    applied: "asyncio.Task[str] | None" = None
    outcome: "asyncio.Task[str] | None" = None
    final: OperationStatus | None = None
    body: str | None = None
    on_disk: bool = False
    unwritten: bool = False
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_ending(self) -> bool:
        """Whether nothing can join it any more: it is being cancelled, or its host stops."""
        return self.control.cancellation.is_cancelled or (
            self.outcome is not None and self.outcome.done()
        )

    def promise(self) -> None:
        """Let its record be written from now on."""
        self.control.taken, self.unrecorded = True, None
        if self.record is None:
            self.record = OperationRecord(
                id=self.id,
                owner=self.request.owner,
                key=self.request.key,
                fingerprint=self.request.fingerprint,
                operation=self.request.operation,
                request=dict(self.request.body),
                created_at=self.control.progress.created_at,
            )

    def withdraw(self, error: FaceError | OSError) -> None:
        """Promise nothing, since the disk did not take its record."""
        self.record, self.unrecorded, self.control.taken = None, error, False

    def status(self, place: Place) -> OperationStatus:
        """Describe it as it is now."""
        if self.final is not None and self.control.progress.phase is None:
            return self.final
        progress, ticket = self.control.progress, self.control.ticket
        waits = progress.state == "waiting"
        return OperationStatus(
            id=self.id,
            operation=self.request.operation,
            state=progress.state,
            phase=progress.phase,
            place=place(ticket) if waits and ticket is not None else None,
            revision=progress.revision,
            phases=progress.phases,
            created_at=progress.created_at,
        )

    def finish(self, body: str | None, error: FaceError | None) -> None:
        """Settle what it ends with."""
        state: OperationState = "succeeded"
        if error is not None:
            state = "cancelled" if isinstance(error, OperationCancelled) else "failed"
        progress = self.control.progress
        self.body = None if error else body
        self.final = OperationStatus(
            id=self.id,
            operation=self.request.operation,
            state=state,
            revision=progress.revision + 1,
            phases=progress.phases,
            created_at=progress.created_at,
            ended_at=datetime.now(UTC),
            result=OperationAnswer.model_validate_json(body) if body and not error else None,
            error=None if error is None else detail_of(error),
        )

    def current_record(self) -> OperationRecord | None:
        """What belongs on the disk now."""
        if self.record is None or self.final is None:
            return self.record
        ended: dict[str, Any] = {"ended": self.final, "body": self.body, "request": {}}
        return self.record.model_copy(update=ended)


def detail_of(error: FaceError) -> ErrorDetail:
    """Describe an error as its answer would."""
    return ErrorDetail(code=error.code, message=str(error), retryable=error.retryable)


def kept_status(
    operation_id: str, operation: str, body: str, record: OperationRecord | None
) -> OperationStatus:
    """Describe an operation whose answer is kept."""
    if record is not None and record.ended is not None:
        return record.ended
    answer = OperationAnswer.model_validate_json(body)
    return OperationStatus(
        id=operation_id,
        operation=operation,
        state="succeeded",
        revision=1,
        phases=answer.phases or Phases(queue=0, decode=0, engine=0, encode=0),
        created_at=answer.completed_at,
        ended_at=answer.completed_at,
        result=answer,
    )


def open_status(record: OperationRecord) -> OperationStatus:
    """Describe an operation that waits for the next start of its host."""
    return OperationStatus(
        id=record.id,
        operation=record.operation,
        state="waiting",
        phase="queued",
        revision=1,
        phases=Phases(queue=0, decode=0, engine=0, encode=0),
        created_at=record.created_at,
    )


async def outcome_of(run: Run, applied: "asyncio.Task[str]") -> tuple[str | None, FaceError | None]:
    """Wait for the work of a run; return its answer, or why there is none."""
    try:
        return await applied, None
    except (Exception, asyncio.CancelledError) as error:
        if run.control.cancellation.is_cancelled:
            return None, as_face_error(run.refusal or cancelled())
        if isinstance(error, asyncio.CancelledError):
            raise
        return None, as_face_error(error)


def as_face_error(error: Exception) -> FaceError:
    """Turn what is none of the contract's errors into one."""
    if isinstance(error, FaceError):
        return error
    # Logged here, because the clients that asked may have gone.
    _log.error("an operation failed unexpectedly", exc_info=error)
    failed = EngineFailed("The host failed unexpectedly; its log has the cause.")
    failed.__cause__ = error
    return failed
