"""A host's Prefect global concurrency limit, through the lease endpoints of Prefect's API.

Prefect's own context manager is not used: it lets work through when the limit is missing or
inactive, and its lease cannot be kept over several operations or handed to another process
(docs/gpu-guard.md, tests/services/gpu/test_prefect_behaviour.py).
"""

import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import ClassVar, Self
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.responses import GlobalConcurrencyLimitResponse
from prefect.exceptions import ObjectNotFound

from storycanvas.gpu.guard.settings import DEFAULTS, GuardSettings
from storycanvas.gpu.prefect_client import FastRetryTransport


class GuardClosed(Exception):
    """The limit that guards a host is missing, inactive or zero, so nothing may run."""

    retryable: ClassVar[bool] = False


class GuardSwitchedOff(GuardClosed):
    """The limit is inactive; a slot given back now would stay counted for good.

    Attributes:
        lease: A slot that was taken just before; to be given back when the limit is on again.
    """

    lease: "Lease | None" = None


@dataclass(frozen=True)
class LimitState:
    """A limit that guards, as the server has it.

    Attributes:
        slots: Operations that may run at one time, 1 or more.
        taken: Slots that are counted as held now.
    """

    slots: int
    taken: int


@dataclass
class Lease:
    """A slot that is held.

    Attributes:
        lease_id: The server's name for it.
        held_since: When it was taken, by this process's monotonic clock in seconds.
        asked_at: When it was taken or renewed last, before the server was asked.
        failed_at: When its newest renewal failed; None while that succeeded.
        settings: How long it lasts and when it is renewed.
    """

    lease_id: UUID
    asked_at: float
    held_since: float = field(default_factory=time.monotonic)
    failed_at: float | None = None
    settings: GuardSettings = DEFAULTS

    @property
    def valid(self) -> bool:
        """Whether it has not run out, by the clock of this machine."""
        return self.seconds_left > 0

    @property
    def seconds_left(self) -> float:
        """How long it lasts unless it is renewed; 0 if it has run out."""
        return max(0.0, self.asked_at + self.settings.lease - time.monotonic())

    @property
    def sure(self) -> bool:
        """Whether a new operation may start: the slot is certainly ours."""
        return self.valid and self.failed_at is None

    @property
    def renew_at(self) -> float:
        """When it is to be renewed, by this process's monotonic clock."""
        if self.failed_at is not None:
            return self.failed_at + self.settings.renew_again
        return self.asked_at + self.settings.renew


class GpuLimit:
    """One limit, `gpu:<host>:<port>`, over one connection to Prefect, for one thread at a time."""

    def __init__(self, name: str, settings: GuardSettings = DEFAULTS) -> None:
        self.name = name
        self.settings = settings
        self._stack = ExitStack()
        self._connected: SyncPrefectClient | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self) -> LimitState:
        """Read the limit; `GuardClosed` if it is missing, inactive or zero."""
        try:
            limit = self.client.read_global_concurrency_limit_by_name(self.name)
        except ObjectNotFound:
            raise GuardClosed(
                f"The concurrency limit '{self.name}' does not exist, so the GPU host is unguarded "
                "and nothing is sent to it; create it with: storycanvas register --limits-only"
            ) from None
        _insist(limit)
        return LimitState(slots=limit.limit, taken=limit.active_slots)

    def acquire(self, taken: int = 0) -> Lease | None:
        """Try once to take a slot, and check that its limit guards.

        A limit that is missing or switched off grants leases without counting them. Such a lease
        goes back before the limit is switched on: its end would free a slot of another holder.

        Args:
            taken: How many slots were taken just before.

        Returns:
            The lease, or None when all slots are taken.

        Raises:
            GuardClosed: The limit is missing, inactive or zero.
        """
        asked = time.monotonic()
        try:
            response = self._increment()
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.LOCKED:
                return None
            raise
        lease = Lease(UUID(response.json()["lease_id"]), asked, settings=self.settings)
        try:
            self.read()
        except BaseException as error:
            if isinstance(error, GuardSwitchedOff) and self._taken() > taken:
                error.lease = lease
            else:
                with suppress(httpx.HTTPError):
                    self.release(lease)
            raise
        return lease

    def renew(self, lease: Lease) -> None:
        """Make a lease last its full time again."""
        asked = time.monotonic()
        self.client.renew_concurrency_lease(lease.lease_id, self.settings.lease)
        lease.asked_at, lease.failed_at = asked, None

    def release(self, lease: Lease) -> None:
        """Give a slot back; if Prefect's server does not answer, the lease runs out by itself."""
        self.client.release_concurrency_slots_with_lease(lease.lease_id)

    def _taken(self) -> int:
        return self.client.read_global_concurrency_limit_by_name(self.name).active_slots

    def _increment(self) -> httpx.Response:
        return self.client.increment_concurrency_slots_with_lease(
            names=[self.name],
            slots=1,
            mode="concurrency",
            lease_duration=self.settings.lease,
        )

    @property
    def server(self) -> str:
        """Address of Prefect's API."""
        return str(self.client.api_url)

    @property
    def client(self) -> SyncPrefectClient:
        """The connection, opened when it is needed first."""
        if self._connected is None:
            # With settings of its own Prefect opens a new client; without, it hands out the one of
            # the flow run that happens to have started this thread, which ends with that run.
            settings = {"transport": FastRetryTransport()}
            client = get_client(sync_client=True, httpx_settings=settings)
            self._connected = self._stack.enter_context(client)
        return self._connected


def _insist(limit: GlobalConcurrencyLimitResponse) -> None:
    if not limit.active:
        raise GuardSwitchedOff(
            f"The concurrency limit '{limit.name}' is switched off, so the GPU host is unguarded "
            "and nothing is sent to it; switch it on in the Prefect UI under Concurrency."
        )
    if limit.limit < 1:
        raise GuardClosed(
            f"The concurrency limit '{limit.name}' is 0, so the GPU host has no slot; set it to "
            "the host's number of GPU slots in the Prefect UI under Concurrency."
        )
