"""Who may use the engine, and when: so many slots, so many places to wait, first come first served.

Pictures are decoded while an operation waits, of at most `slots + 1` operations that are ahead of
the engine, and of fewer where they are large: more would fill the memory with pixels and gain
nothing.

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
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeVar

from storycanvas.faces.errors import FaceError, HostFull, HostNotReady, OperationCancelled
from storycanvas.faces.pictures.formats import MAX_PIXELS
from storycanvas.host.operations.caller_limits import CallerLimits
from storycanvas.net.wording import counted, verb

T = TypeVar("T")
Ticket = int
Waiting = tuple[Ticket, asyncio.Future[None]]

PIXELS_AHEAD = 2 * MAX_PIXELS
"""Pixels of operations that are decoded ahead, for each slot: four bytes each, 400 MB."""
MAX_RETRY_AFTER = 60
STOPPING_RETRY_AFTER = 10
"""Seconds; about what ending and starting again takes."""
HUNG_RETRY_AFTER = 30
"""Seconds; the engine comes back by itself or the operator restarts the host."""
_LOOKS = 20  # at a call within its time; both attempts of FaceFusion take 18 of them


@dataclass
class _Call:
    """A call of the engine that is watched.

    It holds no result, and no function refers to itself: pixels in a cycle of references stay
    until the interpreter looks for such, which takes many operations.
    """

    started: float = field(default_factory=time.monotonic)
    looks_left: int = _LOOKS
    timer: asyncio.TimerHandle | None = None


class WorkQueue:
    """Hands out the engine's slots; belongs to one event loop."""

    is_loading: Callable[[], bool] = staticmethod(lambda: False)  # calls wait meanwhile

    def __init__(self, slots: int, queue: int, operation_seconds: float) -> None:
        self.slots = slots
        self.busy = 0
        self.operations = 0
        self._places = slots + queue
        self._operation_seconds = operation_seconds
        self.ahead = slots + 1
        self._tickets = itertools.count()
        self._limits = CallerLimits()
        self._not_begun: set[Ticket] = set()
        self._ahead: set[Ticket] = set()
        self._pixels: dict[Ticket, int] = {}
        self._waiting: list[Waiting] = []
        self._waiting_to_decode: list[Waiting] = []
        self._overdue: set[asyncio.Future[Any]] = set()
        self._mean_seconds = 1.0
        self._stopped_at: float | None = None
        self._used_at = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """How long nothing has run or waited; 0 while something does."""
        return 0.0 if self.busy or self._not_begun else time.monotonic() - self._used_at

    @property
    def queued(self) -> int:
        """Operations that were let in and have not begun."""
        return len(self._not_begun)

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
    def place(self, *, promised: bool = False) -> Iterator[Ticket]:
        """Take a place before anything is done for an operation.

        Args:
            promised: Whether the host took it before it was started again, so that the bound does
                not apply.

        Yields:
            The ticket of its turn.

        Raises:
            HostFull: All slots and all places to wait are taken, or all that a token may have.
            HostNotReady: The host is stopping, or its engine hangs.
        """
        self._check_ready()
        if not promised and self.queued + self.busy >= self._places:
            raise self._full()
        ticket = next(self._tickets)
        if not promised:
            self._limits.enter(ticket, self._retry_after())
        self._not_begun.add(ticket)
        try:
            yield ticket
        finally:
            self._limits.leave(ticket)
            self._not_begun.discard(ticket)
            self._leave_ahead(ticket)
            self._pixels.pop(ticket, None)

    def place_of(self, ticket: Ticket) -> int | None:
        """Return the place in the queue, 1 for the next; None once it has begun."""
        if ticket not in self._not_begun:
            return None
        return sum(other <= ticket for other in self._not_begun)

    async def turn_to_decode(self, ticket: Ticket, pixels: int = 0) -> None:
        """Wait until at most `slots` other operations are decoded or decoding ahead of the engine.

        Args:
            ticket: Of the place taken.
            pixels: Of its pictures together; with those ahead at most `PIXELS_AHEAD` a slot, unless
                none is ahead.

        Raises:
            HostNotReady: The host began to stop, or the engine hung, before its turn came.
        """
        self._pixels[ticket] = pixels
        await self._turn(
            ticket, self._waiting_to_decode, self._let_decode, partial(self._leave_ahead, ticket)
        )

    async def run(self, ticket: Ticket, call: Callable[[], T], begun: Callable[[], None]) -> T:
        """Wait for the ticket's turn and make a blocking call in a thread.

        Args:
            ticket: Of the place taken; among operations that are ready the lowest goes first.
            call: The engine's work.
            begun: Called when the call starts; what it raises gives the slot to the next one, and
                the ticket may wait for another turn.

        Raises:
            HostNotReady: The host began to stop, or the engine hung, before its turn came.
        """
        await self._turn(ticket, self._waiting, self._hand_out, self._free_slot)
        self._leave_ahead(ticket)
        try:
            begun()
        except FaceError:
            self._not_begun.add(ticket)
            self._free_slot()
            raise
        future = in_thread(call, "engine")
        self._watch(future)
        return await asyncio.shield(future)

    async def ended(self, outcome: asyncio.Future[T]) -> bool:
        """Wait for what an engine's call leads to, at most as long as a call may take.

        Time in which the engine loads does not count: the call waits for it, too.
        """
        left = _LOOKS
        while left and not outcome.done():
            await asyncio.wait({outcome}, timeout=self._operation_seconds / _LOOKS)
            left = _LOOKS if self.is_loading() else left - 1
        return outcome.done()

    def stop(self) -> None:
        """Let running calls end, and refuse all others."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()
        self._refuse_waiting()

    async def _turn(
        self,
        ticket: Ticket,
        waiting: list[Waiting],
        hand_out: Callable[[], None],
        give_back: Callable[[], None],
    ) -> None:
        self._check_ready()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(waiting, (ticket, turn))
        hand_out()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                give_back()  # the turn came at the same moment
            raise

    def _full(self) -> HostFull:
        waiting = min(self.queued, self._places - self.slots)
        return HostFull(
            f"The host runs {counted(self.slots, 'operation')} at a time and {waiting} "
            f"{verb(waiting, 'waits', 'wait')} already; try again later.",
            retry_after=self._retry_after(),
        )

    def _retry_after(self) -> int:
        seconds = (self.queued + self.busy) * self._mean_seconds / self.slots
        return min(MAX_RETRY_AFTER, max(1, math.ceil(seconds)))

    def _let_decode(self) -> None:
        while self._waiting_to_decode and len(self._ahead) < self.ahead:
            ticket, turn = self._waiting_to_decode[0]
            if not turn.done():
                if not self._fits_ahead(ticket):
                    return
                self._ahead.add(ticket)
                turn.set_result(None)
            heapq.heappop(self._waiting_to_decode)

    def _fits_ahead(self, ticket: Ticket) -> bool:
        pixels = sum(self._pixels[each] for each in (*self._ahead, ticket))
        return not self._ahead or pixels <= PIXELS_AHEAD * self.slots

    def _leave_ahead(self, ticket: Ticket) -> None:
        self._ahead.discard(ticket)
        self._let_decode()

    def _free_slot(self) -> None:
        self.busy -= 1
        self._used_at = time.monotonic()
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self.busy < self.slots:
            ticket, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self.busy += 1
                self._limits.leave(ticket)
                self._not_begun.discard(ticket)
                turn.set_result(None)

    def _watch(self, future: asyncio.Future[T]) -> None:
        """Give the slot back when the call ends, and notice when it does not."""
        call = _Call()
        self._look_later(call, future)
        future.add_done_callback(partial(self._call_ended, call))

    def _look_later(self, call: "_Call", future: asyncio.Future[Any]) -> None:
        seconds = self._operation_seconds / _LOOKS
        call.timer = asyncio.get_running_loop().call_later(seconds, self._look, call, future)

    def _look(self, call: "_Call", future: asyncio.Future[Any]) -> None:
        call.looks_left = _LOOKS if self.is_loading() else call.looks_left - 1
        if call.looks_left:
            self._look_later(call, future)
            return
        self._overdue.add(future)
        if self.state == "failed":
            self._refuse_waiting()

    def _call_ended(self, call: "_Call", future: asyncio.Future[Any]) -> None:
        if call.timer is not None:
            call.timer.cancel()
        self._overdue.discard(future)
        if not isinstance(future.exception(), OperationCancelled):
            self.operations += 1
            # A mean that follows: the newest operation counts for a fifth.
            self._mean_seconds += 0.2 * (time.monotonic() - call.started - self._mean_seconds)
        self._free_slot()

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
        for _, turn in (*self._waiting, *self._waiting_to_decode):
            if not turn.done():
                turn.set_exception(self._not_ready())
        self._waiting.clear()
        self._waiting_to_decode.clear()


def in_thread(call: Callable[[], T], name: str) -> asyncio.Future[T]:
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

    threading.Thread(target=work, name=name, daemon=True).start()
    return future


def _succeed(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
