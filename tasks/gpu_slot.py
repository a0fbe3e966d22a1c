"""One slot of a GPU host, held by one thread on behalf of its whole process."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

import httpx

from tasks.gpu_limit import GpuLimit, GuardClosed, Lease

QUANTUM_SECONDS = 5.0
"""How long a process keeps a slot that another one was refused."""

POLL_SECONDS = 0.1
RENEW_SECONDS = 20.0
RENEW_AGAIN_SECONDS = 2.0

log = logging.getLogger(__name__)


class GpuSlot:
    """Takes, renews and gives back a slot.

    Args:
        limit: The host's limit; used by this thread only.
    """

    def __init__(self, limit: GpuLimit) -> None:
        self._limit = limit
        self._lease: Lease | None = None
        self._seen: datetime | None = None
        self._others_wait = False
        self._closed = False
        self._renewal_failed = False

    @property
    def worth_keeping(self) -> bool:
        """Whether the slot is held and nobody else is known to want it."""
        return self._lease is not None and not self._others_wait and not self._closed

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
            self.give_back()
            self._try()
            if not self._held:
                time.sleep(POLL_SECONDS)
        return self._held

    def keep(self, finished: threading.Event, run: str) -> None:
        """Keep the slot while an operation runs on it.

        Looking at the limit is left to this time, when the thread has nothing else to do.

        Args:
            finished: Set when the operation has ended.
            run: Name of the run that the operation belongs to.
        """
        self._look(run)
        while not finished.wait(self._until_renewal()):
            self._renew()

    def pass_on_when_due(self) -> None:
        """Give the slot to another process that was refused, once the quantum is over."""
        lease = self._lease
        if lease is None or not self._others_wait:
            return
        if time.monotonic() - lease.held_since >= QUANTUM_SECONDS:
            self.give_back()
            time.sleep(3 * POLL_SECONDS)

    def give_back(self) -> None:
        """Give the slot back, if it is held."""
        lease, self._lease = self._lease, None
        self._closed = self._others_wait = self._renewal_failed = False
        self._seen = None
        if lease is None:
            return
        try:
            self._limit.release(lease)
        except httpx.HTTPError as error:
            log.warning(
                "The slot of '%s' could not be given back (%s); it comes free when its lease "
                "runs out.",
                self._limit.name,
                type(error).__name__,
            )

    def _try(self) -> None:
        try:
            self._lease = self._limit.acquire()
        except httpx.HTTPError as error:
            log.warning("Prefect's server does not answer the guard (%s).", type(error).__name__)
            time.sleep(RENEW_AGAIN_SECONDS)

    def _look(self, run: str) -> None:
        """See whether the limit still guards and whether others were refused."""
        first = self._seen is None
        try:
            self._closed = False
            state = self._limit.read()
            self._others_wait = not first and state.updated != self._seen
            self._seen = self._seen or state.updated
            if first:
                self._limit.announce(run)
        except GuardClosed as error:
            self._closed = True
            log.warning("%s", error)
        except Exception as error:  # noqa: BLE001 - what could not be seen does not guard
            self._closed = True
            log.warning("The guard could not look at its limit (%s).", type(error).__name__)

    @property
    def _held(self) -> bool:
        """Whether a new operation may start: the slot is surely ours and its limit guards."""
        sure = self._lease is not None and self._lease.valid
        return sure and not self._renewal_failed and not self._closed

    def _until_renewal(self) -> float | None:
        if self._lease is None:
            return None
        if self._renewal_failed:
            return RENEW_AGAIN_SECONDS
        return max(0.0, self._lease.asked_at + RENEW_SECONDS - time.monotonic())

    def _renew(self) -> None:
        if self._lease is None:
            return
        try:
            self._limit.renew(self._lease)
            self._renewal_failed = False
        except Exception as error:  # noqa: BLE001 - whatever it was, the lease was not renewed
            self._renewal_failed = True
            log.warning(
                "The lease on '%s' was not renewed (%s); no new operation starts until the slot "
                "is surely held again.",
                self._limit.name,
                type(error).__name__,
            )
