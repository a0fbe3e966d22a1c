"""The one queue of a process: requests for a slot, each with the limits that it may take.

Higher priority goes first, else first come, first served. No I/O, no threads of its own: steps put
requests in, lanes (`storycanvas.gpu.guard.lane`) take them out.
"""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from storycanvas.gpu.guard.presence import RunInfo

_numbers = itertools.count()


def _ignore() -> None:
    """Do nothing."""


def next_number() -> int:
    """Draw the number that orders requests of equal priority in this process."""
    return next(_numbers)


@dataclass(eq=False)
class SlotRequest:
    """One operation that wants a slot.

    Attributes:
        run: Name of its run, shown to others who wait.
        run_id: Id of the flow run; empty outside of runs.
        priority: Larger goes first.
        number: Among equals the lower goes first.
        since: When it began to wait, seconds since 1970.
        limits: Limits whose slot it may take now; changed by `SlotQueue` alone.
        refused: Why a limit let nothing through, by limit.
        limit: The limit whose slot it holds; None while it waits.
        answered: Set when it gets a slot or a limit refuses it.
        released: Set when it no longer needs a slot.
        lost: Called by the lane's thread when the slot's lease has run out before that, so that
            another holder may have the slot; it must not block.
    """

    run: str
    run_id: str = ""
    priority: int = 0
    number: int = field(default_factory=next_number)
    since: float = field(default_factory=time.time)
    limits: set[str] = field(default_factory=set)
    refused: dict[str, BaseException] = field(default_factory=dict)
    limit: str | None = None
    answered: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    lost: Callable[[], None] = _ignore

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts requests; the smallest goes first."""
        return -self.priority, self.number

    @property
    def run_info(self) -> RunInfo:
        """What other processes see of it."""
        return RunInfo(run=self.run, run_id=self.run_id, priority=self.priority, since=self.since)


class SlotQueue:
    """All waiting requests of a process. Thread-safe.

    Attributes:
        changed: Guards the queue and wakes those who wait for it to change. Its lock is reentrant:
            a caller may hold it over several calls.
        closed: Whether nothing is given out any more.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.closed = False
        self._waiting: list[SlotRequest] = []

    def add_candidate(self, request: SlotRequest, limit: str) -> bool:
        """Let a request take a slot of one more limit.

        Returns:
            Whether it waits there now; False if it has a slot already or needs none any more.
        """
        with self.changed:
            if request.limit is not None or request.released.is_set():
                return False
            if request not in self._waiting:
                self._waiting.append(request)
            request.limits.add(limit)
            self.changed.notify_all()
            return True

    def remove_candidate(self, request: SlotRequest, limit: str) -> None:
        """Let a request no longer take a slot of a limit."""
        with self.changed:
            request.limits.discard(limit)

    def release(self, request: SlotRequest) -> None:
        """Give the slot of a request back, or end its wait."""
        with self.changed:
            request.released.set()
            if request in self._waiting:
                self._waiting.remove(request)

    def withdraw(self, request: SlotRequest) -> None:
        """End the wait of a request that has no slot yet; one that has a slot keeps it."""
        with self.changed:
            if request.limit is None:
                self.release(request)
                request.answered.set()

    def take(self, limit: str) -> SlotRequest | None:
        """Give a slot of a limit to the best request that names it."""
        with self.changed:
            request = next(iter(self._ordered(limit)), None)
            if request is not None:
                self._waiting.remove(request)
                request.limit = limit
                request.answered.set()
            return request

    def refuse(self, limit: str, error: BaseException) -> None:
        """Let no waiting request take a slot of a limit, and give the reason."""
        with self.changed:
            for request in self._ordered(limit):
                request.limits.discard(limit)
                request.refused[limit] = error
                request.answered.set()

    def waiting(self, limit: str) -> list[RunInfo]:
        """List the runs of the requests that name a limit, the next one first."""
        with self.changed:
            return [request.run_info for request in self._ordered(limit)]

    def is_wanted(self, limit: str) -> bool:
        """Check whether a request names a limit."""
        with self.changed:
            return bool(self._ordered(limit))

    def wait_for_work(self, limit: str, seconds: float) -> None:
        """Wait until a request names a limit, or the queue closes."""
        with self.changed:
            self.changed.wait_for(lambda: self.closed or self.is_wanted(limit), seconds)

    def close(self) -> None:
        """Give nothing out any more."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def _ordered(self, limit: str) -> list[SlotRequest]:
        if self.closed:
            return []
        able = [request for request in self._waiting if limit in request.limits]
        return sorted(able, key=lambda request: request.rank)
