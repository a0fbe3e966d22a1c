"""The guard: never more operations on a GPU host than its limit has slots.

All requests of a process wait in one queue (`storycanvas.gpu.guard.queue`). Each limit has up to as
many lanes as slots; a lane holds a slot while requests that name the limit are ready and it is this
process's turn (`storycanvas.gpu.guard.slot`, `storycanvas.gpu.guard.fairness`).
"""

import atexit
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, Self

from storycanvas.gpu.guard.lane import Lane
from storycanvas.gpu.guard.presence import RunInfo
from storycanvas.gpu.guard.queue import SlotQueue, SlotRequest
from storycanvas.gpu.guard.settings import DEFAULTS, GuardSettings
from storycanvas.gpu.prefect_client import run_log

_lane_numbers = itertools.count(1)


class SlotWaitTimedOut(Exception):
    """No slot of the GPU host came free before the deadline."""

    retryable: ClassVar[bool] = False


class SlotLost(Exception):
    """The lease of a slot ran out while an operation was on it."""

    retryable: ClassVar[bool] = True


class Dispatcher:
    """Gives slots to requests; all runs of this process share `dispatcher`."""

    def __init__(self, settings: GuardSettings = DEFAULTS) -> None:
        self.settings = settings
        self._queue = SlotQueue()
        self._lanes: defaultdict[str, list[Lane]] = defaultdict(list)
        self._started: list[Lane] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add_candidate(self, request: SlotRequest, limit: str, slots: int = 1) -> None:
        """Let a request that has no slot yet take one of one more limit.

        Args:
            request: The request.
            limit: The limit's name.
            slots: How many slots the limit has, so how many lanes may serve it.
        """
        with self._queue.changed:
            if not self._queue.add_candidate(request, limit):
                return
            lanes = self._lanes[limit]
            busy = sum(lane.is_busy for lane in lanes)
            if len(lanes) < min(slots, busy + len(self._queue.waiting(limit))):
                self._start_lane(limit)

    def remove_candidate(self, request: SlotRequest, limit: str) -> None:
        """Let a request no longer take a slot of a limit."""
        self._queue.remove_candidate(request, limit)

    def release(self, request: SlotRequest) -> None:
        """Give the slot of a request back, or end its wait."""
        self._queue.release(request)

    def withdraw(self, request: SlotRequest) -> None:
        """End the wait of a request, unless it holds a slot."""
        self._queue.withdraw(request)

    def waiting(self, limit: str) -> list[RunInfo]:
        """List the runs of the requests that may take a slot of a limit, the next one first."""
        return self._queue.waiting(limit)

    def holders(self, limit: str) -> str:
        """Describe in half a sentence who holds the slots of a limit, as its lanes read it last."""
        with self._queue.changed:
            known = [lane.holders for lane in self._lanes[limit]]
        return next(
            (holders for holders in known if holders is not None), "its holders are not known yet"
        )

    @contextmanager
    def slot(
        self,
        limit: str,
        run: str,
        wait_seconds: float,
        *,
        priority: int = 0,
        run_id: str = "",
        slots: int = 1,
    ) -> Iterator[None]:
        """Hold a slot of one limit for one operation.

        Args:
            limit: The limit's name.
            run: Name of the run, shown to others who wait.
            wait_seconds: Longest wait for the slot.
            priority: Larger goes first.
            run_id: The flow run's id, so that the operator finds it.
            slots: How many slots the limit has.

        Raises:
            GuardClosed: The limit is missing, inactive or zero.
            SlotWaitTimedOut: No slot came free in time.
        """
        request = SlotRequest(run, run_id, priority)
        patience = SlotWait(self, request, wait_seconds)
        try:
            self.add_candidate(request, limit, slots)
            while request.limit is None:
                for error in request.refused.values():
                    raise error
                patience.wait(self.settings.log)
            yield
        finally:
            self.release(request)

    def settle(self) -> None:
        """Wait until the slots that nothing in this process wants are given back."""
        with self._queue.changed:
            idle = [lane for lane in self._started if not lane.is_busy and not lane.waiting()]
        for lane in idle:
            lane.join(self.settings.exit)

    def close(self) -> None:
        """Take no more work and give the slots back."""
        self._queue.close()
        with self._queue.changed:
            lanes = list(self._started)
        for lane in lanes:
            lane.join(self.settings.exit)

    def _start_lane(self, limit: str) -> None:
        lane = Lane(limit, next(_lane_numbers), self._queue, self.settings, self._retire(limit))
        self._lanes[limit].append(lane)
        self._started = [started for started in self._started if started.is_alive]
        self._started.append(lane)
        lane.start()

    def _retire(self, limit: str) -> Callable[[Lane], None]:
        def retire(lane: Lane) -> None:
            if lane in self._lanes[limit]:
                self._lanes[limit].remove(lane)

        return retire


class SlotWait:
    """The wait of one request: its deadline, and the log of what it waits for.

    Args:
        dispatcher: Where it waits.
        request: What waits.
        seconds: Longest wait for a slot.
        remark: Gives what else the message of the deadline names; nothing by default.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        request: SlotRequest,
        seconds: float,
        remark: Callable[[], str] = str,
    ) -> None:
        self._dispatcher = dispatcher
        self._request = request
        self._seconds = seconds
        self._remark = remark
        self._deadline = time.monotonic() + seconds
        self._log_at = time.monotonic() + dispatcher.settings.log
        self._logged = ""
        self._logged_at = 0.0

    def wait(self, seconds: float) -> None:
        """Wait for an answer, at most for a time; `SlotWaitTimedOut` at the request's deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise SlotWaitTimedOut(
                f"No slot came free in {self._seconds:.0f} s: {self._holders()}. "
                f"{self._remark()}".strip()
            )
        self._log()
        self._request.answered.wait(min(left, seconds))
        self._request.answered.clear()

    def _log(self) -> None:
        """Log what is waited for: once, then when it is something else, or much later."""
        now, settings = time.monotonic(), self._dispatcher.settings
        if not self._request.limits or now < self._log_at:
            return
        self._log_at = now + settings.log
        holders = self._holders()
        if holders != self._logged or now >= self._logged_at + settings.log_again:
            self._logged, self._logged_at = holders, now
            run_log(__name__).info("Waiting for a slot. %s.", holders)

    def _holders(self) -> str:
        limits = sorted(self._request.limits)
        described = [f"'{limit}': {self._dispatcher.holders(limit)}" for limit in limits]
        return "; ".join(described) or "no host can do it"


dispatcher = Dispatcher()
"""Shared by all runs of this process."""

atexit.register(dispatcher.close)
