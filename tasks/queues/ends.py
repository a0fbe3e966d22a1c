"""How the work on a document ends: what is decided, and how it is written."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from prefect.logging import get_run_logger

from db.connection import Document
from db.errors import DatabaseError
from db.queues.claims import ClaimRepository
from db.queues.queue import DELAY
from tasks.queues.faults import Fault, code_of, fault_of, gravest
from tasks.queues.held import HeldClaim
from tasks.queues.report import Became
from tasks.queues.work import Work, WorkResult
from tasks.retries import Stopping

WRITE_AGAIN_SECONDS = 1.0
DRAIN_STOPPED = "The drain was stopped."


@dataclass(frozen=True)
class End:
    """How the work on a document ends.

    Attributes:
        became: What becomes of the document.
        error: The failure that decided it; None without one.
        reason: Why it is not completed.
        delay: How long it waits before it is claimed again, if it is given back.
    """

    became: Became
    error: BaseException | None = None
    reason: str = ""
    delay: timedelta = DELAY

    @property
    def is_the_places(self) -> bool:
        """Whether other documents would meet the same failure here."""
        return self.error is not None and fault_of(self.error) is Fault.OF_THE_PLACE


def decide(result: WorkResult, *, stopped: bool, is_last: bool) -> End:
    """Decide what becomes of a document.

    Args:
        result: What the work came to.
        stopped: Whether the drain is being stopped.
        is_last: Whether this was the document's last attempt.
    """
    error = gravest(result.errors)
    fault = Fault.OF_THE_WORK if error is None else fault_of(error)
    reason = "" if error is None else str(error)
    if result.done:
        return End("completed")
    if stopped:
        return End("given back", reason=DRAIN_STOPPED, delay=timedelta())
    if fault is Fault.OF_THE_PLACE:
        return End("given back", error, reason)
    if fault is Fault.PASSING and not is_last:
        return End("put back", error, reason)
    return End("completed" if result.enough else "failed", error, reason)


class EndWriter:
    """Writes ends, also when the database is away for a while: the lease says whose it is.

    Args:
        claims: Where documents are claimed.
        work: What the queue wants at an end.
        stopping: Whether the run is being stopped; then nothing is written twice.
    """

    def __init__(self, claims: ClaimRepository, work: Work, stopping: Stopping) -> None:
        self._claims = claims
        self._work = work
        self._stopping = stopping

    def write(self, held: HeldClaim, result: WorkResult) -> End:
        """Write what becomes of a document; nothing if its claim is lost."""
        end = decide(result, stopped=self._stopping.begun, is_last=held.claim.is_last)
        if end.became in {"completed", "failed"}:
            return self._ended(held, end, result)
        if end.became == "put back":
            written = self._written(lambda: self._claims.try_later(held.claim, _told(end)))
        else:
            told = _told(end)
            written = self._written(
                lambda: self._claims.give_back(held.claim, told, delay=end.delay)
            )
        return end if written else _lost(held)

    def give_back(self, held: HeldClaim) -> Became:
        """Give a document back at once whose work the stopped run has not ended."""
        now = timedelta()
        back = self._written(lambda: self._claims.give_back(held.claim, {}, delay=now))
        return "given back" if back else "cancelled"

    def _ended(self, held: HeldClaim, end: End, result: WorkResult) -> End:
        told = _told(end) if end.became == "failed" else _told(End("completed"))
        values = {**told, **result.values, **self._work.end_values(held, end.became)}
        if not self._written(lambda: self._claims.end(held.claim, end.became, values)):
            end = _lost(held)
        self._written(lambda: self._followed_up(held))
        return end

    def _followed_up(self, held: HeldClaim) -> bool:
        self._work.after_end(held.claim)
        return True

    def _written(self, write: Callable[[], bool]) -> bool:
        while True:
            try:
                return write()
            except DatabaseError as error:
                if not error.retryable or self._stopping.begun:
                    get_run_logger().warning("The end of a job is not written: %s", error)
                    return False
                time.sleep(WRITE_AGAIN_SECONDS)


def _told(end: End) -> Document:
    """Write the fields that say why."""
    if end.error is None:
        return {"error_code": None, "error_message": None}
    return {"error_code": code_of(end.error), "error_message": end.reason}


def _lost(held: HeldClaim) -> End:
    held.is_lost = True
    return End("cancelled", reason="It was cancelled, or another worker has it.")
