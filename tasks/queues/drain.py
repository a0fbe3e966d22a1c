"""Draining a queue: documents are claimed one by one, and several are worked on at once."""

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from prefect.logging import get_run_logger

from db.errors import DatabaseError
from db.queues.claims import ClaimRepository
from db.queues.expired import requeue_expired
from db.queues.queue import RENEWAL
from db.queues.waiting import QueueNews, seconds_until_due
from tasks.faces.context import RunContext
from tasks.queues.ends import WRITE_AGAIN_SECONDS, EndWriter
from tasks.queues.faults import Fault, fault_of
from tasks.queues.gate import CLOSED_SECONDS, Gate
from tasks.queues.held import HeldClaim
from tasks.queues.report import DrainLog, DrainReport, JobRow
from tasks.queues.standing import Place
from tasks.queues.work import Work, WorkResult
from tasks.retries import INTERRUPTS, SETTLED_SECONDS

EXPIRED_SECONDS = 30.0
"""How often documents of dead workers are looked for; counted anew when the database was away, so
that those who are alive can renew their claims first."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 10.0
"""Between two looks into an empty queue."""
WAKE_SECONDS = 1.0
SOON_SECONDS = 300.0
"""A document that is due so soon is waited for: one that failed waits for 4 minutes at most."""


@dataclass(frozen=True)
class DrainRules:
    """How long a drain goes on, and what it takes.

    Attributes:
        run_minutes: After which it claims nothing more.
        wait_seconds: It ends when nothing was queued for so long; None, only after its minutes.
        max_jobs: It claims no more than these; None for any number.
        kinds: What it claims, by the queue's kind; empty for all.
        at_once: How many it works on side by side; None for the hosts' slots and one more.
    """

    run_minutes: float
    wait_seconds: float | None = None
    max_jobs: int | None = None
    kinds: tuple[str, ...] = ()
    at_once: int | None = None


class Drain:
    """Claims documents of a queue and has them worked on, each in a thread of its own.

    Args:
        context: The run's context.
        work: How they are worked on.
        rules: How long, and what.
        place: Where it works, if it ends when that has moved; None if it does not look.
    """

    def __init__(
        self, context: RunContext, work: Work, rules: DrainRules, place: Place | None = None
    ) -> None:
        self._context = context
        self._work = work
        self._rules = rules
        self._claims = ClaimRepository(
            context.database, work.queue, context.run_name, context.run_id
        )
        self._log = DrainLog(work.queue.collection)
        self._news = threading.Event()
        self._held: dict[HeldClaim, threading.Thread] = {}
        self._begun = 0
        self._until = time.monotonic() + 60 * rules.run_minutes
        self._idle_since: float | None = None
        self._pause = FIRST_PAUSE
        self._expired_at = 0.0
        self._gate = Gate(context)
        self._place = place
        self._has_moved = False
        self._ends = EndWriter(self._claims, work, context.stopping)
        self._looped = threading.Event()
        self._failure: Exception | None = None

    def run(self) -> tuple[DrainReport, BaseException | None]:
        """Drain until the rules say that it is enough, or the run is stopped.

        Returns:
            The report, and what stopped the run before its end; None if nothing did.
        """
        ended, interrupt = threading.Event(), None
        _thread(self._renew, ended).start()
        try:
            with QueueNews(self._context.database, self._work.queue, self._news):
                # What stops a run is raised in the main thread, wherever that is: in the middle of
                # a claim it would leave a job that nothing holds.
                _thread(self._loop).start()
                self._looped.wait()
        except INTERRUPTS as raised:
            interrupt = raised
            self._stop()
        finally:
            ended.set()
        if self._failure is not None and interrupt is None:
            self._stop()
            raise self._failure
        return self._log.report(), interrupt

    def _loop(self) -> None:
        try:
            while self._goes_on():
                self._look()
            while self._held and not self._context.stopping.begun:
                self._news.wait(WAKE_SECONDS)
                self._news.clear()
        except Exception as error:  # noqa: BLE001 - raised by the thread that waits for this one
            self._failure = error
        finally:
            self._looped.set()

    def _goes_on(self) -> bool:
        if self._context.stopping.begun or self._has_moved:
            return False
        if time.monotonic() >= self._until or self._begun == self._rules.max_jobs:
            return False
        waited = self._rules.wait_seconds
        if self._held or waited is None or self._idle_since is None:
            return True
        return time.monotonic() < self._idle_since + waited

    def _look(self) -> None:
        """Claim the next document, or wait for news."""
        self._news.clear()
        at_once = self._rules.at_once or self._gate.slots + 1
        try:
            self._requeue_expired()
            if len(self._held) >= at_once:
                self._wait(LONGEST_PAUSE)
            elif not self._gate.is_open():
                self._idle_since = None
                self._wait_for_place()
            elif not self._begin_next():
                self._wait_for_more()
        except DatabaseError as error:
            if not error.retryable and self._place is None:
                raise
            self._expired_at = time.monotonic()
            get_run_logger().warning("Nothing is claimed: %s", error)
            self._wait_for_place()

    def _wait_for_place(self) -> None:
        self._wait(CLOSED_SECONDS)
        self._has_moved = self._place is not None and self._place.has_moved()

    def _requeue_expired(self) -> None:
        if time.monotonic() < self._expired_at + EXPIRED_SECONDS and self._expired_at:
            return
        done = requeue_expired(self._context.database, self._work.queue)
        self._expired_at = time.monotonic()
        if done:
            get_run_logger().warning("Of workers that let their leases end: %s.", done)

    def _begin_next(self) -> bool:
        claim = self._claims.claim(self._rules.kinds)
        if claim is None:
            return False
        held = HeldClaim(self._claims, claim, self._context.stopping)
        if self._context.stopping.begun:
            self._ends.give_back(held)
            return True
        self._begun += 1
        self._idle_since, self._pause = None, FIRST_PAUSE
        self._held[held] = thread = _thread(self._work_on, held)
        thread.start()
        return True

    def _wait_for_more(self) -> None:
        """Wait until something may be claimed, with growing pauses where nothing tells it."""
        due = seconds_until_due(self._context.database, self._work.queue)
        is_idle = not self._held and (due is None or due > SOON_SECONDS)
        self._idle_since = (self._idle_since or time.monotonic()) if is_idle else None
        self._wait(self._pause if due is None else min(self._pause, due))
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _wait(self, seconds: float) -> None:
        ends = [time.monotonic() + seconds, self._until]
        if self._idle_since is not None and self._rules.wait_seconds is not None:
            ends.append(self._idle_since + self._rules.wait_seconds)
        # Asked after the news were cleared: what stops the run sets them once it has begun.
        if self._context.stopping.begun:
            return
        if self._news.wait(max(0.01, min(ends) - time.monotonic())):
            self._news.clear()
            self._pause = FIRST_PAUSE

    def _renew(self, ended: threading.Event) -> None:
        """Renew all claims in time; one that is lost ends its steps."""
        seconds = RENEWAL.total_seconds()
        while not ended.wait(seconds):
            seconds = RENEWAL.total_seconds()
            try:
                for held in list(self._held):
                    held.renew()
            except DatabaseError as error:
                get_run_logger().warning("The claims are not renewed now: %s", error)
                seconds = WRITE_AGAIN_SECONDS

    def _work_on(self, held: HeldClaim) -> None:
        try:
            row = self._row(held, time.monotonic())
            self._log.add(row)
            get_run_logger().info("%s", row.line())
        finally:
            self._held.pop(held, None)
            self._news.set()

    def _row(self, held: HeldClaim, started: float) -> JobRow:
        """Do what a document asks for, and write and tell what became of it."""
        result = self._result(held)
        end = self._ends.write(held, result)
        if end.is_the_places:
            self._gate.close()
        return JobRow(
            job=self._work.label(held.claim),
            id=held.claim.id,
            became=end.became,
            attempt=max(1, held.claim.attempt),
            seconds=round(time.monotonic() - started, 3),
            steps=result.steps,
            reason=end.reason,
        )

    def _result(self, held: HeldClaim) -> WorkResult:
        try:
            return self._work.do(held)
        except Exception as error:  # noqa: BLE001 - judged, written and told like any other
            if fault_of(error) is Fault.PASSING and not hasattr(error, "code"):
                get_run_logger().exception("The job %s met an unforeseen error.", held.claim.id)
            return WorkResult(errors=(error,))

    def _stop(self) -> None:
        """End what is begun, and give back at once what is not done."""
        self._context.stopping.begin()
        self._news.set()
        self._context.stop()
        until = self._context.stopping.deadline(SETTLED_SECONDS)
        self._looped.wait(max(0.0, until - time.monotonic()))
        for thread in list(self._held.values()):
            thread.join(max(0.0, until - time.monotonic()))
        for held in list(self._held):
            became = self._ends.give_back(held)
            get_run_logger().info("%s: %s", self._work.label(held.claim), became)


def _thread(function: Callable[..., None], *args: object) -> threading.Thread:
    """Make a thread that logs where this one does."""
    context = contextvars.copy_context()
    return threading.Thread(target=context.run, args=(function, *args), daemon=True)
