"""One slot of a GPU host, held by one thread on behalf of its whole process."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import httpx

from tasks.gpu_limit import GpuLimit, GuardClosed, GuardSwitchedOff, Lease
from tasks.gpu_neighbours import Grant, neighbours_of
from tasks.gpu_notes import BEAT_SECONDS, NoteBook, NotedRun
from tasks.gpu_turns import Claim, Turn, may_try, next_turn

POLL_SECONDS = 0.1
RENEW_SECONDS = 20.0
RENEW_AGAIN_SECONDS = 2.0
SWITCHED_OFF_SECONDS = 0.5

log = logging.getLogger(__name__)


class Line(Protocol):
    """The operations of this process that wait, as its slots see them."""

    def waiting(self) -> Sequence[NotedRun]:
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
        self._neighbours = neighbours_of(limit.name, limit.server)
        self._book = NoteBook(limit.client, limit.name, lane)
        self._lease: Lease | None = None
        self._holding: NotedRun | None = None
        self._others: list[Claim] = []
        self._free_since: float | None = None
        self._passed_on_at = 0.0
        self._renew_at = 0.0
        self._closed = False
        self._renewal_failed = False
        self._server_is_away = False

    @property
    def worth_keeping(self) -> bool:
        """Whether the slot is held and nobody else is known to want it."""
        waiting = self._others or self._neighbours.claims()
        return self._lease is not None and not waiting and not self._closed

    def take(self, wanted: Callable[[], bool]) -> bool:
        """Hold the slot, waiting for it as long as it is wanted.

        Args:
            wanted: Asked on each turn; waiting ends when it says no.

        Returns:
            Whether the slot is held.

        Raises:
            GuardClosed: The limit is missing, inactive or zero.
        """
        while not self._held and wanted():
            if self._recovers():
                continue
            if self._closed:
                self._look_again()
                continue
            self.give_back()
            own = self._claim()
            if own is None:
                break
            self._neighbours.claim(own)
            self._try(own)
            if not self._held:
                self._accept(self._neighbours.wait(POLL_SECONDS))
        self._neighbours.claim(None)
        self._accept(self._neighbours.wait(0))
        return self._held

    def keep(self, finished: threading.Event, run: NotedRun) -> None:
        """Keep the slot while an operation runs on it.

        Looking at the limit and at the others is left to this time, when the thread has nothing
        else to do.

        Args:
            finished: Set when the operation has ended.
            run: The run that the operation belongs to.
        """
        self._holding = run
        self._look()
        while not finished.wait(self._until_next()):
            if self._renewal_is_due:
                self._renew()
            self._look()
        self._holding = None

    def pass_on_when_due(self) -> None:
        """Give the slot to those whose turn it is, if it is not this process's."""
        lease = self._lease
        if lease is None or not self._held:
            return
        neighbours = list(self._neighbours.claims().values())
        held = time.monotonic() - lease.held_since
        turn = next_turn(self._claim(), held, neighbours, self._others)
        if turn is not Turn.KEEP:
            self._passed_on_at = time.time()
        if turn is Turn.HAND_OVER:
            self._hand_over(lease)
        elif turn is Turn.GIVE_BACK:
            self._give_to_server()

    def give_back(self) -> None:
        """Give the slot back, if it is held: to a neighbour who waits, else to the server."""
        lease = self._lease
        if lease is not None and self._held and not self._others:
            self._hand_over(lease)
        self._give_to_server()

    def close(self, hurries: Callable[[], bool]) -> None:
        """Give the slot back and leave the line, with all that was handed over meanwhile.

        A slot given back to a limit that is switched off stays taken for good (Prefect 3.8.8), so
        its lease is renewed until the limit is on again.

        Args:
            hurries: Whether the process ends.
        """
        while self._lease is not None and self._is_switched_off() and not hurries():
            if self._renewal_is_due:
                self._renew()
            time.sleep(SWITCHED_OFF_SECONDS)
        self.give_back()
        try:
            for grant in self._neighbours.close():
                self._release(Lease(grant.lease_id, grant.asked_at))
        finally:
            self._book.remove()

    def _give_to_server(self) -> None:
        lease, self._lease = self._lease, None
        self._closed = self._renewal_failed = self._server_is_away = False
        self._free_since = None
        if lease is not None:
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
        if self._neighbours.hand_over(Grant(lease.lease_id, lease.asked_at)):
            self._lease = None

    def _accept(self, grant: Grant | None) -> None:
        if grant is None:
            return
        if self._lease is not None:  # one is enough
            self._release(Lease(grant.lease_id, grant.asked_at))
            return
        self._lease = Lease(grant.lease_id, grant.asked_at)
        self._renew_at = grant.asked_at + RENEW_SECONDS

    def _look_again(self) -> None:
        """Insist on a limit that guards, with the slot still held."""
        try:
            self._limit.read()
            self._closed = False
        except httpx.HTTPError as error:
            log.warning("Prefect's server does not answer the guard (%s).", type(error).__name__)
            self._closed = False
            self._renewal_failed = self._server_is_away = True

    def _recovers(self) -> bool:
        """Ask for the lease again while the server is away; given up, its slot would lie idle."""
        if not self._server_is_away or self._lease is None or not self._lease.valid:
            return False
        self._renew()
        if self._server_is_away:
            time.sleep(RENEW_AGAIN_SECONDS)
        else:
            self._look()
        return True

    def _try(self, own: Claim) -> None:
        try:
            self._tell()
            if not self._neighbours.asks():
                return
            state = self._limit.read()
            if state.taken >= state.slots:
                self._free_since = None
                return
            self._free_since = self._free_since or time.monotonic()
            self._others = self._others_waiting()
            everybody = [*self._others, *self._neighbours.claims().values()]
            if may_try(own, everybody, time.monotonic() - self._free_since):
                self._got(self._limit.acquire())
            elif self._neighbour_first(own):
                self._acquire_for_neighbour()
        except httpx.HTTPError as error:
            log.warning("Prefect's server does not answer the guard (%s).", type(error).__name__)
            self._accept(self._neighbours.wait(RENEW_AGAIN_SECONDS))

    def _neighbour_first(self, own: Claim) -> bool:
        """Whether a neighbour comes first of all; only this process asks on its behalf."""
        neighbours = self._neighbours.claims().values()
        first = min(neighbours, key=lambda claim: claim.rank, default=own)
        return first is not own and may_try(first, self._others, 0.0)

    def _acquire_for_neighbour(self) -> None:
        lease = self._limit.acquire()
        self._got(lease)
        if lease is not None:
            self._hand_over(lease)

    def _got(self, lease: Lease | None) -> None:
        self._lease = lease
        if lease is not None:
            self._renew_at = lease.asked_at + RENEW_SECONDS

    def _look(self) -> None:
        """See whether the limit still guards and who else waits."""
        try:
            self._closed = False
            self._limit.read()
            self._tell()
            self._others = self._others_waiting()
        except GuardClosed as error:
            self._closed = True
            log.warning("%s", error)
        except httpx.TransportError as error:
            self._renewal_failed = self._server_is_away = True
            self._renew_at = time.monotonic() + RENEW_AGAIN_SECONDS
            log.warning("Prefect's server does not answer the guard (%s).", type(error).__name__)
        except Exception as error:  # noqa: BLE001 - what could not be seen does not guard
            self._closed = True
            log.warning("The guard could not look at its limit (%s).", type(error).__name__)

    def _tell(self) -> None:
        self._book.write(self._holding, self._line.waiting(), self._claim())

    def _others_waiting(self) -> list[Claim]:
        """Read what processes of other machines wait with; neighbours say it faster."""
        notes = [note for note in self._book.others() if not note.is_neighbour]
        return [note.claim for note in notes if note.claim is not None]

    def _claim(self) -> Claim | None:
        """What this process waits with; who had a turn waits since the end of it."""
        waiting = self._line.waiting()
        if not waiting:
            return None
        return Claim(waiting[0].priority, max(waiting[0].since, self._passed_on_at))

    @property
    def _held(self) -> bool:
        """Whether a new operation may start: the slot is surely ours and its limit guards."""
        sure = self._lease is not None and self._lease.valid
        return sure and not self._renewal_failed and not self._closed

    @property
    def _renewal_is_due(self) -> bool:
        return self._lease is not None and time.monotonic() >= self._renew_at

    def _until_next(self) -> float:
        return min(BEAT_SECONDS, max(0.0, self._renew_at - time.monotonic()))

    def _renew(self) -> None:
        if self._lease is None:
            return
        try:
            self._limit.renew(self._lease)
            self._renewal_failed = self._server_is_away = False
            self._renew_at = self._lease.asked_at + RENEW_SECONDS
        except Exception as error:  # noqa: BLE001 - whatever it was, the lease was not renewed
            self._renewal_failed = True
            self._server_is_away = isinstance(error, httpx.TransportError)
            self._renew_at = time.monotonic() + RENEW_AGAIN_SECONDS
            log.warning(
                "The lease on '%s' was not renewed (%s); no new operation starts until the slot "
                "is surely held again.",
                self._limit.name,
                type(error).__name__,
            )

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
