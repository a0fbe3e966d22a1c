"""Looks after a slot from a thread of its own: renews its lease, sees whether its limit guards.

Prefect's server may take half a second for an answer. The thread that serves a slot asks it for
nothing while it holds the slot, so an operation that is ready never waits for the server.
"""

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import httpx

from storycanvas.gpu.guard.fairness import Claim
from storycanvas.gpu.guard.limit import GpuLimit, GuardClosed, Lease
from storycanvas.gpu.guard.presence import (
    BEAT_SECONDS,
    Note,
    PresenceWriter,
    RunInfo,
    claims_beyond,
    described,
    read_notes,
)
from storycanvas.gpu.prefect_client import no_client_retries

LOOK_SECONDS = 1.0
"""How often it looks at most, while operations begin one after the other."""

END_SECONDS = 5.0

log = logging.getLogger(__name__)


class SlotStatus(NamedTuple):
    """What a lane lets others know.

    Attributes:
        holding: The run whose operation was on the slot last; None without a slot.
        waiting: The runs that wait in this process, first come first.
        claim: What it waits with; None if it does not wait.
    """

    holding: RunInfo | None
    waiting: Sequence[RunInfo]
    claim: Claim | None


class LeaseRenewer:
    """The watch over one lane's slot.

    Args:
        limit_name: The host's limit.
        lane: Which of the process's slots.
        circle: Those among whom the slot is handed on (`storycanvas.gpu.guard.handover`).
        tell: Gives what others are to know, at any time.

    Attributes:
        closed: Whether the limit was seen not to guard; to be cleared by who looked again.
        server_is_away: Whether Prefect's server did not answer.
        notes: What all processes told when it looked last.
    """

    def __init__(
        self, limit_name: str, lane: int, peer_group_id: str, tell: Callable[[], SlotStatus]
    ) -> None:
        self.closed = False
        self.server_is_away = False
        self.notes: Sequence[Note] = ()
        self._limit_name = limit_name
        self._lane = lane
        self._circle = peer_group_id
        self._tell = tell
        self._lease: Lease | None = None
        self._renewing = threading.Lock()
        self._looked_at = float("-inf")
        self._stirred = threading.Event()
        self._ends = False
        self._thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(self._serve,),
            name=f"guard's watch {limit_name}",
            daemon=True,
        )
        self._thread.start()

    def track(self, lease: Lease | None) -> None:
        """Renew this lease from now on, and no other.

        No renewal is on its way any more when this returns: one that met a release at Prefect's
        server would bring the lease back to life, and its end would free a slot of somebody else.
        """
        with self._renewing:
            self._lease = lease
        self._stirred.set()

    @property
    def others(self) -> list[Claim]:
        """What processes outside of the circle wait with."""
        return claims_beyond(self._circle, self.notes)

    @property
    def holders(self) -> str:
        """Half a sentence about who holds the slots."""
        return "Prefect's server does not answer" if self.server_is_away else described(self.notes)

    def wake(self) -> None:
        """Say that an operation has begun or others are to know something: a good time to look."""
        self._stirred.set()

    def lost(self, error: httpx.HTTPError) -> None:
        """Note that the server does not answer: nothing is sure until it renews the lease."""
        if self._lease is not None:
            self._lease.failed_at = time.monotonic()
        if not self.server_is_away:
            log.warning("Prefect's server does not answer the guard (%s).", type(error).__name__)
        self.server_is_away = True

    def close(self) -> None:
        """End the watch and take its note away."""
        self._ends = True
        self._stirred.set()
        self._thread.join(END_SECONDS)

    def _serve(self) -> None:
        with no_client_retries(), GpuLimit(self._limit_name) as limit:
            book = PresenceWriter(limit.client, limit.name, self._lane, self._circle)
            try:
                while not self._ends:
                    self._stirred.clear()
                    self._renew_when_due(limit)
                    self._look_when_due(limit, book)
                    self._stirred.wait(self._pause())
            finally:
                book.remove()

    def _pause(self) -> float:
        now = time.monotonic()
        beat = self._looked_at + BEAT_SECONDS - now
        renewal = self._lease.renew_at - now if self._lease is not None else beat
        return max(0.0, min(beat, renewal))

    def _look_when_due(self, limit: GpuLimit, book: PresenceWriter) -> None:
        now = time.monotonic()
        telling = self._tell()
        if now < self._looked_at + LOOK_SECONDS and not book.is_news(
            telling.holding, telling.claim
        ):
            return
        self._looked_at = now
        try:
            self._look(limit, book, telling)
        except GuardClosed as error:
            if not self.closed:
                log.warning("%s", error)
            self.closed = True
        except httpx.TransportError as error:
            self.lost(error)
        except Exception as error:  # noqa: BLE001 - what could not be seen does not guard
            self.closed = True
            log.warning("The guard could not look at its limit (%s).", type(error).__name__)

    def _look(self, limit: GpuLimit, book: PresenceWriter, telling: SlotStatus) -> None:
        limit.read()
        self.closed = False
        if self._lease is None:
            self.server_is_away = False
        book.write(*telling)
        self.notes = [note for _, note in read_notes(limit.client, limit.name)]

    def _renew_when_due(self, limit: GpuLimit) -> None:
        with self._renewing:
            if self._lease is not None and time.monotonic() >= self._lease.renew_at:
                self._renew(limit, self._lease)

    def _renew(self, limit: GpuLimit, lease: Lease) -> None:
        try:
            limit.renew(lease)
            self.server_is_away = False
        except Exception as error:  # noqa: BLE001 - whatever it was, the lease was not renewed
            lease.failed_at = time.monotonic()
            self.server_is_away = isinstance(error, httpx.TransportError)
            log.warning(
                "The lease on '%s' was not renewed (%s); no new operation starts until the slot "
                "is surely held again.",
                limit.name,
                type(error).__name__,
            )
