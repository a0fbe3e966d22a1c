"""Where the steps of one process wait at the guards of several GPU hosts at once.

A guard is asked for no step in particular; the slot that it grants goes to the step whose turn it
is then. So no slot is granted to two, and none lies idle with a step that has gone elsewhere. While
steps wait, a guard always has a question before it, or it would let its host go between two
operations; when none waits any more, the questions are taken back.
"""

import contextvars
import threading
from collections import defaultdict
from dataclasses import dataclass

from tasks.gpu_guard import Ticket, gpu_guard
from tasks.gpu_notes import NotedRun
from tasks.slot_wishes import Wish, asking_priority, in_turn


@dataclass(eq=False)
class _Question:
    """One place in the queue of a guard."""

    limit: str
    priority: int
    ticket: Ticket


class SlotExchange:
    """The wishes of one process; `slot_exchange` is the one that all its runs share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Wish] = []
        self._questions: defaultdict[str, list[_Question]] = defaultdict(list)
        self._slots: dict[str, int] = {}

    def offer(self, wish: Wish, limit: str, slots: int) -> None:
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

    def withhold(self, wish: Wish, limit: str) -> None:
        """Let a step wait at a host no longer."""
        with self._lock:
            wish.limits.discard(limit)
            self._take_back(limit)

    def finish(self, wish: Wish) -> None:
        """Give the slot of a step back, or let it wait nowhere any more."""
        with self._lock:
            wish.finished.set()
            if wish in self._waiting:
                self._leave(wish)

    def waiting(self, limit: str) -> list[NotedRun]:
        """Tell the runs of all steps that wait for a host, in the order of their turns."""
        with self._lock:
            return [_noted(wish) for wish in in_turn(self._waiting, limit)]

    def _leave(self, wish: Wish) -> None:
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

    def _answered(self, question: _Question) -> Wish | None:
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

    def _refuse(self, wishes: list[Wish], limit: str, error: BaseException) -> None:
        for wish in wishes:
            wish.limits.discard(limit)
            wish.refused[limit] = error
            wish.stirred.set()


def _noted(wish: Wish) -> NotedRun:
    return NotedRun(run=wish.run, run_id=wish.run_id, priority=wish.priority, since=wish.since)


slot_exchange = SlotExchange()
"""The exchange of this process."""
