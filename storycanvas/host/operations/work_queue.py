"""Who may use the engine, and when: so many slots, so many places to wait, first come first served.

The engine blocks, so each of its calls has a thread. A thread cannot be stopped: a call that
exceeds its time keeps its slot until it ends, and there are never two calls on a slot.
"""

import asyncio
import contextlib
import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar

from storycanvas.faces.errors import HostFull, HostNotReady
from storycanvas.net.wording import counted, verb

T = TypeVar("T")
Ticket = int

MAX_RETRY_AFTER = 60
STOPPING_RETRY_AFTER = 10
"""Seconds; about what ending and starting again takes."""
HUNG_RETRY_AFTER = 30
"""Seconds; the engine comes back by itself or the operator restarts the host."""


class WorkQueue:
    """Hands out the engine's slots; belongs to one event loop."""

    def __init__(self, slots: int, queue: int, operation_seconds: float) -> None:
        self.slots = slots
        self.busy = 0
        self.operations = 0
        self._places = slots + queue
        self._taken_places = 0
        self._operation_seconds = operation_seconds
        self._tickets = itertools.count()
        self._waiting: list[tuple[Ticket, asyncio.Future[None]]] = []
        self._overdue: set[asyncio.Future[Any]] = set()
        self._last_seconds = 1.0
        self._stopped_at: float | None = None

    @property
    def queued(self) -> int:
        """Operations that were let in and have not begun."""
        return self._taken_places - self.busy

    @property
    def state(self) -> Literal["ok", "stopping", "failed"]:
        """`failed` while every slot is held by a call that exceeded its time."""
        if self._stopped_at is not None:
            return "stopping"
        return "failed" if len(self._overdue) >= self.slots else "ok"

    @property
    def stopping_seconds(self) -> float:
        """How long ago the stop began; 0 if it did not."""
        return 0.0 if self._stopped_at is None else time.monotonic() - self._stopped_at

    @contextlib.contextmanager
    def place(self) -> Iterator[Ticket]:
        """Take a place before anything is done for an operation.

        Yields:
            The ticket of its turn.

        Raises:
            HostFull: All slots and all places to wait are taken.
            HostNotReady: The host is stopping, or its engine hangs.
        """
        self._check_ready()
        if self._taken_places >= self._places:
            raise HostFull(
                f"The host runs {counted(self.slots, 'operation')} at a time and {self.queued} "
                f"{verb(self.queued, 'waits', 'wait')} already; "
                "try again later.",
                retry_after=min(MAX_RETRY_AFTER, max(1, math.ceil(self._last_seconds))),
            )
        self._taken_places += 1
        try:
            yield next(self._tickets)
        finally:
            self._taken_places -= 1

    async def run(self, ticket: Ticket, call: Callable[[], T], begun: Callable[[], None]) -> T:
        """Wait for the ticket's turn and make a blocking call in a thread.

        Args:
            ticket: Of the place taken; among operations that are ready the lowest goes first.
            call: The engine's work.
            begun: Called when the call starts.

        Raises:
            HostNotReady: The host began to stop, or the engine hung, before its turn came.
        """
        await self._turn(ticket)
        begun()
        self.operations += 1
        future = _in_thread(call)
        self._watch(future)
        return await asyncio.shield(future)

    def stop(self) -> None:
        """Let running calls end, and refuse all others."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()
        self._refuse_waiting()

    async def _turn(self, ticket: Ticket) -> None:
        self._check_ready()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (ticket, turn))
        self._hand_out()
        await turn

    def _hand_out(self) -> None:
        while self._waiting and self.busy < self.slots:
            _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self.busy += 1
                turn.set_result(None)

    def _watch(self, future: asyncio.Future[T]) -> None:
        """Give the slot back when the call ends, and notice when it does not."""
        started = time.monotonic()

        def overdue() -> None:
            self._overdue.add(future)
            if self.state == "failed":
                self._refuse_waiting()

        timer = asyncio.get_running_loop().call_later(self._operation_seconds, overdue)

        def ended(_: asyncio.Future[T]) -> None:
            timer.cancel()
            self._overdue.discard(future)
            self._last_seconds = time.monotonic() - started
            self.busy -= 1
            self._hand_out()

        future.add_done_callback(ended)

    def check_open(self) -> None:
        """Refuse work that needs no slot with `HostNotReady` while the host stops."""
        if self._stopped_at is not None:
            raise self._not_ready()

    def _check_ready(self) -> None:
        if self.state != "ok":
            raise self._not_ready()

    def _not_ready(self) -> HostNotReady:
        if self.state == "stopping":
            stopping = "The host is stopping; try again when it is back."
            return HostNotReady(stopping, retry_after=STOPPING_RETRY_AFTER)
        return HostNotReady(
            f"The engine has not returned for {self._operation_seconds:g} s on any slot; "
            "if that stays so, restart the host.",
            retry_after=HUNG_RETRY_AFTER,
        )

    def _refuse_waiting(self) -> None:
        for _, turn in self._waiting:
            if not turn.done():
                turn.set_exception(self._not_ready())
        self._waiting.clear()


def _in_thread(call: Callable[[], T]) -> asyncio.Future[T]:
    """Start a call in a thread that does not keep the program from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def work() -> None:
        try:
            value = call()
        except BaseException as error:  # noqa: BLE001 - handed on to the waiting request
            loop.call_soon_threadsafe(_fail, future, error)
        else:
            loop.call_soon_threadsafe(_succeed, future, value)

    threading.Thread(target=work, name="engine", daemon=True).start()
    return future


def _succeed(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
