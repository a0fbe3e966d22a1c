"""The guard: never more operations on a GPU host than its limit has slots, whoever asks.

Operations of one process queue here, higher priority first, else first come, first served. One
thread for each slot waits for all of them, keeps the slot while operations are ready and it is
this process's turn, and renews its lease (`storycanvas.gpu.guard.slot`,
`storycanvas.gpu.guard.fairness`).
"""

import atexit
import contextvars
import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from storycanvas.gpu.guard.limit import GpuLimit
from storycanvas.gpu.guard.presence import RunInfo
from storycanvas.gpu.guard.slot import GpuSlot
from storycanvas.gpu.prefect_client import no_client_retries
from storycanvas.gpu.run_log import run_log

LINGER_SECONDS = 0.3
"""How long a slot is kept without work, so that a chain's next step finds it still held."""

SAY_SECONDS = 15.0
"""How often a waiting operation says in its log what it waits for."""

EXIT_SECONDS = 5.0

_lane_numbers = itertools.count(1)


class SlotWaitTimedOut(Exception):
    """No slot of the GPU host came free before the deadline."""

    retryable: ClassVar[bool] = False


@dataclass(eq=False)
class Ticket:
    """One operation that wants the GPU; from `GpuGuard.request`.

    Attributes:
        run: The run that it belongs to.
        granted: Set when it has the slot, or an error.
        finished: To be set when it needs the slot no more.
        error: What made the guard refuse it.
    """

    run: RunInfo
    granted: threading.Event = field(default_factory=threading.Event)
    finished: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


class GpuGuard:
    """The queue of one process before one GPU host; `gpu_guard` keeps one for each limit.

    Args:
        limit_name: Name of the host's Prefect global concurrency limit.

    Attributes:
        shown: Gives the runs that others are to see waiting, if they are not those of the queue.
    """

    def __init__(self, limit_name: str) -> None:
        self.limit_name = limit_name
        self.shown: Callable[[], Sequence[RunInfo]] = self.waiting
        self._changed = threading.Condition()
        self._waiting: list[Ticket] = []
        self._lanes: set[threading.Thread] = set()
        self._threads: set[threading.Thread] = set()
        self._lane_slots: list[GpuSlot] = []
        self._slots = 1
        self._closing = False

    def check(self) -> None:
        """Make sure that the limit guards, before any work is begun.

        Raises:
            GuardClosed: It is missing, inactive or zero.
        """
        with GpuLimit(self.limit_name) as limit:
            self._slots = limit.read().slots

    @contextmanager
    def slot(
        self, run: str, wait_seconds: float, *, priority: int = 0, run_id: str = ""
    ) -> Iterator[None]:
        """Hold a slot of the host for one operation.

        Args:
            run: Name of the run, to be shown to others who wait.
            wait_seconds: Longest wait for the slot.
            priority: Larger goes first.
            run_id: The flow run's id, so that the operator finds it.

        Raises:
            GuardClosed: The limit is missing, inactive or zero.
            SlotWaitTimedOut: No slot came free in time.
        """
        noted = RunInfo(run=run, run_id=run_id, priority=priority, since=time.time())
        ticket = self.request(noted)
        try:
            self._await(ticket, wait_seconds)
            yield
        finally:
            ticket.finished.set()
            self.withdraw(ticket)

    def request(self, run: RunInfo) -> Ticket:
        """Join the queue without waiting.

        Args:
            run: The run that wants a slot, its priority, and since when.

        Returns:
            A ticket: wait for `granted`, look at `error`, set `finished` in any case; or withdraw.
        """
        ticket = Ticket(run)
        with self._changed:
            self._waiting.append(ticket)
            self._waiting.sort(key=lambda waiting: -waiting.run.priority)  # stable
            if len(self._lanes) < self._slots:
                self._start_lane()
            self._changed.notify()
        return ticket

    def withdraw(self, ticket: Ticket) -> bool:
        """Leave the queue.

        Returns:
            False if the ticket has been granted already; set `finished` then.
        """
        with self._changed:
            if ticket not in self._waiting:
                return False
            self._waiting.remove(ticket)
            return True

    def close(self) -> None:
        """Take no more work and give the slots back."""
        with self._changed:
            self._closing = True
            threads = list(self._threads)
            self._changed.notify_all()
        for thread in threads:
            thread.join(EXIT_SECONDS)

    def waiting(self) -> Sequence[RunInfo]:
        """Tell which runs wait in this process, first come first."""
        with self._changed:
            return [] if self._closing else [ticket.run for ticket in self._waiting]

    def holders(self) -> str:
        """Say in half a sentence who holds the host's slots, as its lanes saw it last."""
        with self._changed:
            return self._lane_slots[0].holders if self._lane_slots else "nobody has looked yet"

    def _start_lane(self) -> None:
        lane = threading.Thread(
            target=contextvars.copy_context().run,
            args=(self._serve, next(_lane_numbers)),
            name=f"guard {self.limit_name}",
            daemon=True,
        )
        self._lanes.add(lane)
        self._threads.add(lane)
        lane.start()

    def _await(self, ticket: Ticket, wait_seconds: float) -> None:
        deadline = time.monotonic() + wait_seconds
        while not ticket.granted.wait(min(SAY_SECONDS, max(0.0, deadline - time.monotonic()))):
            if time.monotonic() < deadline:
                said = "Waiting for a slot of '%s': %s."
                run_log(__name__).info(said, self.limit_name, self.holders())
            elif self.withdraw(ticket):
                raise SlotWaitTimedOut(
                    f"No slot of '{self.limit_name}' came free in {wait_seconds:.0f} s: "
                    f"{self.holders()}."
                )
        if ticket.error is not None:
            raise ticket.error

    def _serve(self, number: int) -> None:
        """The life of one lane: serve the queue until it is empty."""
        try:
            with no_client_retries(), GpuLimit(self.limit_name) as limit:
                slot = GpuSlot(limit, self, number)
                self._lane_slots.append(slot)
                try:
                    while self._stay(slot):
                        self._serve_next(slot)
                finally:
                    self._lane_slots.remove(slot)
                    slot.close(lambda: self._closing)
        except BaseException as error:
            self._refuse_all(error)
            raise
        finally:
            with self._changed:
                self._lanes.discard(threading.current_thread())
                self._threads.discard(threading.current_thread())

    def _serve_next(self, slot: GpuSlot) -> None:
        try:
            held = slot.take(self._wanted)
        except Exception as error:  # noqa: BLE001 - raised again where the slot was asked for
            self._refuse_all(error)
            return
        ticket = self._pop() if held else None
        if ticket is not None:
            ticket.granted.set()
            slot.keep(ticket.finished, ticket.run)
            slot.pass_on_when_due()

    def _stay(self, slot: GpuSlot) -> bool:
        """Wait a moment for work; without any the lane ends, under the lock that adds work."""
        with self._changed:
            if not self._waiting and not self._closing and slot.worth_keeping:
                self._changed.wait(LINGER_SECONDS)
            if self._waiting and not self._closing:
                return True
            self._lanes.discard(threading.current_thread())
            return False

    def _wanted(self) -> bool:
        with self._changed:
            return bool(self._waiting) and not self._closing

    def _pop(self) -> Ticket | None:
        with self._changed:
            return self._waiting.pop(0) if self._waiting else None

    def _refuse_all(self, error: BaseException) -> None:
        with self._changed:
            while self._waiting:
                ticket = self._waiting.pop(0)
                ticket.error = error
                ticket.granted.set()


_guards: dict[str, GpuGuard] = {}
_guards_lock = threading.Lock()


def gpu_guard(limit_name: str) -> GpuGuard:
    """Get this process's guard of a host.

    Args:
        limit_name: Name of the host's Prefect global concurrency limit.
    """
    with _guards_lock:
        if limit_name not in _guards:
            _guards[limit_name] = GpuGuard(limit_name)
            atexit.register(_guards[limit_name].close)
        return _guards[limit_name]


_numbers = itertools.count()


def next_number() -> int:
    """Draw the number that tells a step's turn in this process."""
    return next(_numbers)


@dataclass(eq=False)
class SlotRequest:
    """One step that wants a slot.

    Attributes:
        run: Name of its run, to be shown to others who wait.
        run_id: Id of the flow run.
        priority: Larger goes first.
        number: Among equals the lower goes first.
        since: When it began to wait, seconds since 1970.
        limits: Limits of the hosts that may do it now.
        refused: Why a host's guard let nothing through, by limit.
        limit: Where it got a slot; None while it waits.
        stirred: Set when it got a slot or was refused.
        finished: Set when it needs the slot no longer.
    """

    run: str
    run_id: str = ""
    priority: int = 0
    number: int = field(default_factory=next_number)
    since: float = field(default_factory=time.time)
    limits: set[str] = field(default_factory=set)
    refused: dict[str, BaseException] = field(default_factory=dict)
    limit: str | None = None
    stirred: threading.Event = field(default_factory=threading.Event)
    finished: threading.Event = field(default_factory=threading.Event)


def in_turn(wishes: Iterable[SlotRequest], limit: str) -> list[SlotRequest]:
    """Sort those that a host may do, the next one first."""
    able = [wish for wish in wishes if limit in wish.limits]
    return sorted(able, key=lambda wish: (-wish.priority, wish.number))


def asking_priority(waiting: Sequence[int], asked: Sequence[int], slots: int) -> int | None:
    """Decide whether a guard is to be asked for one more slot.

    Args:
        waiting: Priorities of the steps that wait for it.
        asked: Priorities with which it is being asked already.
        slots: How many it can give at one time.

    Returns:
        The priority to ask with: the highest one that waits. None when enough is asked for.
    """
    if not waiting:
        return None
    highest = max(waiting)
    enough = len(asked) >= min(len(waiting), slots)
    return None if enough and max(asked) >= highest else highest


@dataclass(eq=False)
class _Question:
    """One place in the queue of a guard."""

    limit: str
    priority: int
    ticket: Ticket


class Dispatcher:
    """The wishes of one process; `dispatcher` is the one that all its runs share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[SlotRequest] = []
        self._questions: defaultdict[str, list[_Question]] = defaultdict(list)
        self._slots: dict[str, int] = {}

    def add_candidate(self, wish: SlotRequest, limit: str, slots: int) -> None:
        """Let a step that has no slot yet wait at one more host.

        Args:
            wish: The step.
            limit: The host's limit.
            slots: How many operations the host does at one time.
        """
        with self._lock:
            if wish.limit is not None or wish.finished.is_set():
                return
            if wish not in self._waiting:
                self._waiting.append(wish)
            wish.limits.add(limit)
            self._slots[limit] = slots
            self._ask(limit)

    def remove_candidate(self, wish: SlotRequest, limit: str) -> None:
        """Let a step wait at a host no longer."""
        with self._lock:
            wish.limits.discard(limit)
            self._take_back(limit)

    def finish(self, wish: SlotRequest) -> None:
        """Give the slot of a step back, or let it wait nowhere any more."""
        with self._lock:
            wish.finished.set()
            if wish in self._waiting:
                self._leave(wish)

    def waiting(self, limit: str) -> list[RunInfo]:
        """Tell the runs of all steps that wait for a host, in the order of their turns."""
        with self._lock:
            return [_noted(wish) for wish in in_turn(self._waiting, limit)]

    def _leave(self, wish: SlotRequest) -> None:
        self._waiting.remove(wish)
        for limit in wish.limits:
            self._take_back(limit)

    def _wanted(self, limit: str) -> list[int]:
        return [wish.priority for wish in self._waiting if limit in wish.limits]

    def _ask(self, limit: str) -> None:
        """Ask the guard for what is waited for."""
        asked = [question.priority for question in self._questions[limit]]
        priority = asking_priority(self._wanted(limit), asked, self._slots[limit])
        if priority is None:
            return
        first = in_turn(self._waiting, limit)[0]
        guard = gpu_guard(limit)
        guard.shown = lambda: self.waiting(limit)
        ticket = guard.request(_noted(first))
        question = _Question(limit, priority, ticket)
        self._questions[limit].append(question)
        threading.Thread(
            target=contextvars.copy_context().run,
            args=(self._await, question),
            name=f"asking {limit}",
            daemon=True,
        ).start()

    def _take_back(self, limit: str) -> None:
        """Take questions back that are more than the steps that wait; the latest ones first."""
        questions = self._questions[limit]
        surplus = len(questions) - len(self._wanted(limit))
        for question in questions[::-1][: max(0, surplus)]:
            if gpu_guard(limit).withdraw(question.ticket):
                questions.remove(question)
                question.ticket.granted.set()  # wakes its thread, which finds it gone

    def _await(self, question: _Question) -> None:
        """The life of a question: until it is answered and the slot is needed no longer."""
        ticket = question.ticket
        ticket.granted.wait()
        try:
            wish = self._answered(question)
            if wish is not None:
                wish.finished.wait()
        finally:
            ticket.finished.set()

    def _answered(self, question: _Question) -> SlotRequest | None:
        """Give a slot to the step whose turn it is, and ask for the next one meanwhile."""
        with self._lock:
            if question not in self._questions[question.limit]:
                return None
            self._questions[question.limit].remove(question)
            turns = in_turn(self._waiting, question.limit)
            if question.ticket.error is not None:
                self._refuse(turns, question.limit, question.ticket.error)
            elif turns:
                turns[0].limit = question.limit
                turns[0].stirred.set()
                self._leave(turns[0])
                self._ask(question.limit)
                return turns[0]
            return None

    def _refuse(self, wishes: list[SlotRequest], limit: str, error: BaseException) -> None:
        for wish in wishes:
            wish.limits.discard(limit)
            wish.refused[limit] = error
            wish.stirred.set()


def _noted(wish: SlotRequest) -> RunInfo:
    return RunInfo(run=wish.run, run_id=wish.run_id, priority=wish.priority, since=wish.since)


dispatcher = Dispatcher()
"""The exchange of this process."""
