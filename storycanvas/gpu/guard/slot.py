"""One slot of a GPU host, held by one thread for its whole process."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

import httpx

from storycanvas.gpu.guard.fairness import Claim, SlotAction, may_acquire, next_action
from storycanvas.gpu.guard.handover import Grant, join_peers
from storycanvas.gpu.guard.lease_renewal import LeaseRenewer, SlotStatus
from storycanvas.gpu.guard.limit import GpuLimit, GuardClosed, GuardSwitchedOff, Lease
from storycanvas.gpu.guard.presence import RunInfo, claims_beyond, read_notes

log = logging.getLogger(__name__)


class GpuSlot:
    """Takes, keeps and gives back a slot; used by one thread.

    Args:
        limit: The host's limit.
        waiting: Lists the runs that wait in this process, the next one first.
        lane: Number of the slot in this process.
    """

    def __init__(
        self, limit: GpuLimit, waiting: Callable[[], Sequence[RunInfo]], lane: int
    ) -> None:
        self._limit = limit
        self._settings = limit.settings
        self._waiting = waiting
        self._lease: Lease | None = None
        self._holding: RunInfo | None = None
        self._free_since: float | None = None
        self._passed_on_at = 0.0
        self._asked_at = float("-inf")
        self._slots = 1
        self._published_priority: int | None = None
        self._peers = join_peers(limit.name, limit.server)
        self._renewer = LeaseRenewer(
            limit.name, lane, self._peers.peer_group_id, self._status, self._settings
        )

    @property
    def worth_keeping(self) -> bool:
        """Whether the slot is held and no other process is known to want it."""
        return self._held and not self._renewer.others and not self._peers.claims()

    @property
    def holders(self) -> str:
        """Half a sentence about who holds the host's slots, as it was read last."""
        return self._renewer.holders

    def take(self, wanted: Callable[[], bool]) -> bool:
        """Hold the slot, waiting for it as long as it is wanted.

        Args:
            wanted: Asked on each turn; False ends the wait.

        Returns:
            Whether the slot is held.

        Raises:
            GuardClosed: The limit is missing, inactive or zero.
        """
        try:
            while not self._held and wanted():
                if self._may_recover:
                    time.sleep(self._settings.poll)
                elif self._renewer.closed:
                    self._check_limit()
                else:
                    self.give_back()
                    self._wait_a_turn()
        finally:
            self._end_wait()
        return self._held

    def keep(self, released: threading.Event, run: RunInfo, lost: Callable[[], None]) -> None:
        """Keep the slot while an operation of a run is on it, until `released` is set.

        Args:
            released: Set when the operation needs the slot no longer.
            run: Shown to others who wait.
            lost: Called once when the lease runs out before that: the slot may be another's.
        """
        self._holding = run
        self._renewer.wake()
        if self._lease is not None:
            hold(self._lease, released, lost)
        released.wait()

    def pass_on_when_due(self) -> None:
        """Pass the slot on if another process's turn has come."""
        lease = self._lease
        if lease is None or not self._held:
            return
        peers = list(self._peers.claims().values())
        held_seconds = time.monotonic() - lease.held_since
        action = next_action(
            self._claim(), held_seconds, peers, self._renewer.others, self._settings
        )
        if action is not SlotAction.KEEP:
            self._passed_on_at = time.time()
        if action is SlotAction.HAND_OVER:
            self._hand_over(lease)
        elif action is SlotAction.GIVE_BACK:
            self._give_to_server()

    def give_back(self) -> None:
        """Give the slot back, if it is held: to a peer that waits, else to the server."""
        lease = self._lease
        if lease is not None and self._held and not self._renewer.others:
            self._hand_over(lease)
        self._give_to_server()

    def close(self, hurries: Callable[[], bool]) -> None:
        """Give the slot back with all that was handed over meanwhile, and leave the peers.

        A slot given back to a limit that is switched off stays counted for good, so its lease is
        renewed until the limit is on again.

        Args:
            hurries: Whether the process ends.
        """
        self._give_back_when_on(hurries)
        try:
            for grant in self._peers.close():
                self._accept(grant)
                self._give_back_when_on(hurries)
        finally:
            self._renewer.close()

    def _give_back_when_on(self, hurries: Callable[[], bool]) -> None:
        while self._lease is not None and self._is_switched_off() and not hurries():
            time.sleep(self._settings.switched_off)
        self.give_back()

    def _set_lease(self, lease: Lease | None) -> None:
        self._lease = lease
        if lease is None:
            self._holding = None
        self._peers.hold(held=lease is not None)
        self._renewer.track(lease)

    def _give_to_server(self) -> None:
        lease = self._lease
        self._free_since = None
        if lease is not None:
            self._set_lease(None)
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
        # The renewer lets go first: a renewal after the hand-over would be that of the new owner.
        self._renewer.track(None)
        if self._peers.hand_over(Grant(lease.lease_id, lease.asked_at)):
            self._set_lease(None)
        else:
            self._renewer.track(lease)

    def _accept(self, grant: Grant | None) -> None:
        if grant is None:
            return
        lease = Lease(grant.lease_id, grant.asked_at, settings=self._settings)
        if self._lease is None:
            self._set_lease(lease)
        else:  # this lane needs only one
            self._release(lease)

    @property
    def _may_recover(self) -> bool:
        """Whether the server is away and the lease runs on; given up, its slot would lie idle."""
        return self._lease is not None and self._lease.valid and self._renewer.server_is_away

    def _check_limit(self) -> None:
        """Insist on a limit that guards, with the slot still held."""
        try:
            self._limit.read()
            self._renewer.closed = False
        except httpx.HTTPError as error:
            self._renewer.mark_unreachable(error)
            time.sleep(self._settings.renew_again)

    def _wait_a_turn(self) -> None:
        own = self._claim()
        if own is None:
            return
        self._peers.claim(own)
        if own.priority != self._published_priority:
            self._published_priority = own.priority
            self._renewer.wake()
        if self._peers.asks() and not self._will_be_handed_over:
            self._try_to_acquire(own)
        if self._lease is None:
            self._accept(self._peers.wait(self._settings.poll))

    def _end_wait(self) -> None:
        if self._published_priority is not None:
            self._published_priority = None
            self._peers.claim(None)
            self._accept(self._peers.wait(0))

    @property
    def _will_be_handed_over(self) -> bool:
        recent = time.monotonic() < self._asked_at + self._settings.held_poll
        return recent and self._peers.holders() >= self._slots

    def _try_to_acquire(self, own: Claim) -> None:
        self._asked_at = time.monotonic()
        try:
            state = self._limit.read()
            self._slots, self._renewer.server_is_away = state.slots, False
            if state.taken >= state.slots:
                self._free_since = None
            else:
                self._acquire_when_first(own, state.taken)
        except GuardSwitchedOff as error:
            self._set_lease(error.lease)
            raise
        except httpx.HTTPError as error:
            self._renewer.mark_unreachable(error)
            self._accept(self._peers.wait(self._settings.renew_again))

    def _acquire_when_first(self, own: Claim, taken: int) -> None:
        """Take the free slot for the best claim of this machine, unless others come first."""
        self._free_since = self._free_since or time.monotonic()
        free_seconds = time.monotonic() - self._free_since
        notes = read_notes(self._limit.client, self._limit.name, self._settings)
        others = claims_beyond(self._peers.peer_group_id, notes)
        everybody = [*others, *self._peers.claims().values()]
        if may_acquire(own, everybody, free_seconds, self._settings):
            self._set_lease(self._limit.acquire(taken))
        elif self._is_peer_first(own, others):
            lease = self._limit.acquire(taken)
            self._set_lease(lease)
            if lease is not None:
                self._hand_over(lease)

    def _is_peer_first(self, own: Claim, others: Sequence[Claim]) -> bool:
        """Whether a peer comes first of all; this process alone asks the server on its behalf."""
        peers = self._peers.claims().values()
        first = min(peers, key=lambda claim: claim.rank, default=own)
        return first is not own and may_acquire(first, others, 0.0, self._settings)

    def _claim(self) -> Claim | None:
        """What this process waits with; after a turn it counts as waiting since the turn's end."""
        waiting = self._waiting()
        if not waiting:
            return None
        return Claim(waiting[0].priority, max(waiting[0].since, self._passed_on_at))

    def _status(self) -> SlotStatus:
        return SlotStatus(self._holding, self._waiting(), self._claim())

    @property
    def _held(self) -> bool:
        """Whether a new operation may start: the slot is surely ours and its limit guards."""
        if self._lease is None or not self._lease.sure:
            return False
        return not self._renewer.closed and not self._renewer.server_is_away

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


def hold(lease: Lease, released: threading.Event, lost: Callable[[], None]) -> None:
    """Wait until a slot is released, or call `lost` once its lease, however often renewed, ends."""
    while not released.wait(lease.seconds_left):
        if not lease.valid:
            lost()
            return
