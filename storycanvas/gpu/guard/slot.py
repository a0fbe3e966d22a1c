"""One slot of a GPU host, held by one thread on behalf of its whole process."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import httpx

from storycanvas.gpu.guard.fairness import Claim, SlotAction, may_acquire, next_action
from storycanvas.gpu.guard.handover import Grant, neighbours_of
from storycanvas.gpu.guard.lease_renewal import LeaseRenewer, SlotStatus
from storycanvas.gpu.guard.limit import (
    RENEW_AGAIN_SECONDS,
    GpuLimit,
    GuardClosed,
    GuardSwitchedOff,
    Lease,
)
from storycanvas.gpu.guard.presence import RunInfo, claims_beyond, read_notes

POLL_SECONDS = 0.1
HELD_POLL_SECONDS = 1.0
"""The same where living neighbours hold every slot: they hand one on, and their death is seen."""

SWITCHED_OFF_SECONDS = 0.5

log = logging.getLogger(__name__)


class Line(Protocol):
    """The operations of this process that wait, as its slots see them."""

    @property
    def shown(self) -> Callable[[], Sequence[RunInfo]]:
        """Gives the runs that others are to see waiting."""
        ...

    def waiting(self) -> Sequence[RunInfo]:
        """Give them in the order in which they will go."""
        ...


class GpuSlot:
    """Takes, renews and gives back a slot; used by one thread.

    Args:
        limit: The host's limit.
        line: What waits in this process.
        lane: Which of the process's slots.
    """

    def __init__(self, limit: GpuLimit, line: Line, lane: int) -> None:
        self._limit = limit
        self._line = line
        self._lease: Lease | None = None
        self._holding: RunInfo | None = None
        self._free_since: float | None = None
        self._passed_on_at = 0.0
        self._asked_at = float("-inf")
        self._slots = 1
        self._told_priority: int | None = None
        self._neighbours = neighbours_of(limit.name, limit.server)
        self._watch = LeaseRenewer(limit.name, lane, self._neighbours.peer_group_id, self._tell)

    @property
    def worth_keeping(self) -> bool:
        """Whether the slot is held and nobody else is known to want it."""
        return self._held and not self._watch.others and not self._neighbours.claims()

    @property
    def holders(self) -> str:
        """Half a sentence about who holds the host's slots, as it was seen last."""
        return self._watch.holders

    def take(self, wanted: Callable[[], bool]) -> bool:
        """Hold the slot, waiting for it as long as it is wanted.

        Args:
            wanted: Asked on each turn; waiting ends when it says no.

        Returns:
            Whether the slot is held.

        Raises:
            GuardClosed: The limit is missing, inactive or zero.
        """
        try:
            while not self._held and wanted():
                if self._may_recover:
                    time.sleep(POLL_SECONDS)
                elif self._watch.closed:
                    self._look_again()
                else:
                    self.give_back()
                    self._wait_a_turn()
        finally:
            self._wait_no_more()
        return self._held

    def keep(self, finished: threading.Event, run: RunInfo) -> None:
        """Keep the slot while an operation runs on it.

        Args:
            finished: Set when the operation has ended.
            run: The run that the operation belongs to.
        """
        self._holding = run
        self._watch.wake()
        finished.wait()

    def pass_on_when_due(self) -> None:
        """Give the slot to those whose turn it is, if it is not this process's."""
        lease = self._lease
        if lease is None or not self._held:
            return
        neighbours = list(self._neighbours.claims().values())
        held = time.monotonic() - lease.held_since
        turn = next_action(self._claim(), held, neighbours, self._watch.others)
        if turn is not SlotAction.KEEP:
            self._passed_on_at = time.time()
        if turn is SlotAction.HAND_OVER:
            self._hand_over(lease)
        elif turn is SlotAction.GIVE_BACK:
            self._give_to_server()

    def give_back(self) -> None:
        """Give the slot back, if it is held: to a neighbour who waits, else to the server."""
        lease = self._lease
        if lease is not None and self._held and not self._watch.others:
            self._hand_over(lease)
        self._give_to_server()

    def close(self, hurries: Callable[[], bool]) -> None:
        """Give the slot back and leave the line, with all that was handed over meanwhile.

        A slot given back to a limit that is switched off stays taken for good (Prefect 3.8.8), so
        its lease is renewed until the limit is on again.

        Args:
            hurries: Whether the process ends.
        """
        self._give_back_when_on(hurries)
        try:
            for grant in self._neighbours.close():
                self._accept(grant)
                self._give_back_when_on(hurries)
        finally:
            self._watch.close()

    def _give_back_when_on(self, hurries: Callable[[], bool]) -> None:
        while self._lease is not None and self._is_switched_off() and not hurries():
            time.sleep(SWITCHED_OFF_SECONDS)
        self.give_back()

    def _have(self, lease: Lease | None) -> None:
        self._lease = lease
        if lease is None:
            self._holding = None
        self._neighbours.hold(held=lease is not None)
        self._watch.track(lease)

    def _give_to_server(self) -> None:
        lease = self._lease
        self._free_since = None
        if lease is not None:
            self._have(None)
            self._release(lease)

    def _is_switched_off(self) -> bool:
        try:
            self._limit.read()
        except GuardSwitchedOff:
            return True
        except (GuardClosed, httpx.HTTPError):
            return False
        return False

    def _hand_over(self, lease: Lease) -> None:
        self._watch.track(None)
        if self._neighbours.hand_over(Grant(lease.lease_id, lease.asked_at)):
            self._have(None)
        else:
            self._watch.track(lease)

    def _accept(self, grant: Grant | None) -> None:
        if grant is None:
            return
        lease = Lease(grant.lease_id, grant.asked_at)
        if self._lease is None:
            self._have(lease)
        else:  # one is enough
            self._release(lease)

    @property
    def _may_recover(self) -> bool:
        """Whether the server is away and the lease runs on; given up, its slot would lie idle."""
        return self._lease is not None and self._lease.valid and self._watch.server_is_away

    def _look_again(self) -> None:
        """Insist on a limit that guards, with the slot still held."""
        try:
            self._limit.read()
            self._watch.closed = False
        except httpx.HTTPError as error:
            self._watch.lost(error)
            time.sleep(RENEW_AGAIN_SECONDS)

    def _wait_a_turn(self) -> None:
        own = self._claim()
        if own is None:
            return
        self._neighbours.claim(own)
        if own.priority != self._told_priority:
            self._told_priority = own.priority
            self._watch.wake()
        if self._neighbours.asks() and not self._will_be_handed_on:
            self._try(own)
        if self._lease is None:
            self._accept(self._neighbours.wait(POLL_SECONDS))

    def _wait_no_more(self) -> None:
        if self._told_priority is not None:
            self._told_priority = None
            self._neighbours.claim(None)
            self._accept(self._neighbours.wait(0))

    @property
    def _will_be_handed_on(self) -> bool:
        recent = time.monotonic() < self._asked_at + HELD_POLL_SECONDS
        return recent and self._neighbours.holders() >= self._slots

    def _try(self, own: Claim) -> None:
        self._asked_at = time.monotonic()
        try:
            state = self._limit.read()
            self._slots, self._watch.server_is_away = state.slots, False
            if state.taken >= state.slots:
                self._free_since = None
                return
            self._free_since = self._free_since or time.monotonic()
            notes = read_notes(self._limit.client, self._limit.name)
            others = claims_beyond(self._neighbours.peer_group_id, (note for _, note in notes))
            everybody = [*others, *self._neighbours.claims().values()]
            if may_acquire(own, everybody, time.monotonic() - self._free_since):
                self._have(self._limit.acquire(state.taken))
            elif self._neighbour_first(own, others):
                self._acquire_for_neighbour(state.taken)
        except GuardSwitchedOff as error:
            self._have(error.lease)
            raise
        except httpx.HTTPError as error:
            self._watch.lost(error)
            self._accept(self._neighbours.wait(RENEW_AGAIN_SECONDS))

    def _neighbour_first(self, own: Claim, others: Sequence[Claim]) -> bool:
        """Whether a neighbour comes first of all; only this process asks on its behalf."""
        neighbours = self._neighbours.claims().values()
        first = min(neighbours, key=lambda claim: claim.rank, default=own)
        return first is not own and may_acquire(first, others, 0.0)

    def _acquire_for_neighbour(self, taken: int) -> None:
        lease = self._limit.acquire(taken)
        self._have(lease)
        if lease is not None:
            self._hand_over(lease)

    def _claim(self) -> Claim | None:
        """What this process waits with; who had a turn waits since the end of it."""
        waiting = self._line.waiting()
        if not waiting:
            return None
        return Claim(waiting[0].priority, max(waiting[0].since, self._passed_on_at))

    def _tell(self) -> SlotStatus:
        return SlotStatus(self._holding, self._line.shown(), self._claim())

    @property
    def _held(self) -> bool:
        """Whether a new operation may start: the slot is surely ours and its limit guards."""
        if self._lease is None or not self._lease.sure:
            return False
        return not self._watch.closed and not self._watch.server_is_away

    def _release(self, lease: Lease) -> None:
        try:
            self._limit.release(lease)
        except httpx.HTTPError as error:
            log.warning(
                "The slot of '%s' could not be given back (%s); it comes free when its lease "
                "runs out.",
                self._limit.name,
                type(error).__name__,
            )
