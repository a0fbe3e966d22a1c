"""Tracks a held slot from a thread of its own: renews its lease, checks that its limit guards.

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
    Note,
    PresenceWriter,
    RunInfo,
    claims_beyond,
    described,
    read_notes,
)
from storycanvas.gpu.guard.settings import GuardSettings
from storycanvas.gpu.prefect_client import no_client_retries

log = logging.getLogger(__name__)


class SlotStatus(NamedTuple):
    """What a lane publishes.

    Attributes:
        holding: The run whose operation was on the slot last; None without a slot.
        waiting: The runs that wait in this process, the next one first.
        claim: What it waits with; None if it does not wait.
    """

    holding: RunInfo | None
    waiting: Sequence[RunInfo]
    claim: Claim | None


class LeaseRenewer:
    """Renews the lease of one lane's slot and publishes the lane's status.

    Args:
        limit_name: The host's limit.
        lane: Which of the process's slots.
        peer_group_id: The processes among which the slot is handed over
            (`storycanvas.gpu.guard.handover`).
        status: Gives what to publish; called at any time.
        settings: The guard's periods.

    Attributes:
        closed: Whether the limit was found not to guard; the lane clears it after a check.
        server_is_away: Whether Prefect's server did not answer.
        notes: The notes of all processes, as read last.
    """

    def __init__(
        self,
        limit_name: str,
        lane: int,
        peer_group_id: str,
        status: Callable[[], SlotStatus],
        settings: GuardSettings,
    ) -> None:
        self.closed = False
        self.server_is_away = False
        self.notes: Sequence[Note] = ()
        self._limit_name = limit_name
        self._lane = lane
        self._peer_group_id = peer_group_id
        self._status = status
        self._settings = settings
        self._lease: Lease | None = None
        self._renewing = threading.Lock()
        self._checked_at = float("-inf")
        self._woken = threading.Event()
        self._ends = False
        self._thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(self._run,),
            name=f"lease renewer {limit_name}",
            daemon=True,
        )
        self._thread.start()

    def track(self, lease: Lease | None) -> None:
        """Renew this lease from now on, and no other.

        When this returns no renewal is under way: one that met a release at Prefect's server would
        revive the lease, whose end would then free a slot of another holder.
        """
        with self._renewing:
            self._lease = lease
        self._woken.set()

    @property
    def others(self) -> list[Claim]:
        """What processes outside of the peer group wait with."""
        return claims_beyond(self._peer_group_id, self.notes)

    @property
    def holders(self) -> str:
        """Half a sentence about who holds the slots."""
        return "Prefect's server does not answer" if self.server_is_away else described(self.notes)

    def wake(self) -> None:
        """Check and publish soon: an operation has begun, or the status has changed."""
        self._woken.set()

    def mark_unreachable(self, error: httpx.HTTPError) -> None:
        """Note that the server does not answer: nothing is sure until it renews the lease."""
        if self._lease is not None:
            self._lease.failed_at = time.monotonic()
        if not self.server_is_away:
            log.warning("Prefect's server does not answer the guard (%s).", type(error).__name__)
        self.server_is_away = True

    def close(self) -> None:
        """End the thread and delete the lane's note."""
        self._ends = True
        self._woken.set()
        self._thread.join(self._settings.exit)

    def _run(self) -> None:
        with no_client_retries(), GpuLimit(self._limit_name, self._settings) as limit:
            writer = PresenceWriter(
                limit.client, limit.name, self._lane, self._peer_group_id, self._settings
            )
            try:
                while not self._ends:
                    self._woken.clear()
                    self._renew_when_due(limit)
                    self._check_when_due(limit, writer)
                    self._woken.wait(self._pause())
            finally:
                writer.remove()

    def _pause(self) -> float:
        now = time.monotonic()
        check = self._checked_at + self._settings.note - now
        renewal = self._lease.renew_at - now if self._lease is not None else check
        return max(0.0, min(check, renewal))

    def _check_when_due(self, limit: GpuLimit, writer: PresenceWriter) -> None:
        now = time.monotonic()
        status = self._status()
        is_news = writer.is_news(status.holding, status.claim)
        if now < self._checked_at + self._settings.check and not is_news:
            return
        self._checked_at = now
        try:
            self._check(limit, writer, status)
        except GuardClosed as error:
            if not self.closed:
                log.warning("%s", error)
            self.closed = True
        except httpx.TransportError as error:
            self.mark_unreachable(error)
        except Exception as error:  # noqa: BLE001 - a limit that cannot be checked does not guard
            self.closed = True
            log.warning("The guard could not check its limit (%s).", type(error).__name__)

    def _check(self, limit: GpuLimit, writer: PresenceWriter, status: SlotStatus) -> None:
        limit.read()
        self.closed = False
        if self._lease is None:
            self.server_is_away = False
        writer.write(*status)
        self.notes = read_notes(limit.client, limit.name, self._settings)

    def _renew_when_due(self, limit: GpuLimit) -> None:
        with self._renewing:
            if self._lease is not None and time.monotonic() >= self._lease.renew_at:
                self._renew(limit, self._lease)

    def _renew(self, limit: GpuLimit, lease: Lease) -> None:
        try:
            limit.renew(lease)
            self.server_is_away = False
        except Exception as error:  # noqa: BLE001 - whatever the reason, the lease was not renewed
            lease.failed_at = time.monotonic()
            self.server_is_away = isinstance(error, httpx.TransportError)
            log.warning(
                "The lease on '%s' was not renewed (%s); no new operation starts until the slot "
                "is surely held again.",
                limit.name,
                type(error).__name__,
            )
