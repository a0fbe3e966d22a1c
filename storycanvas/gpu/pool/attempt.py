"""A slot of whichever host of a farm comes free first, for one operation."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.errors import FaceError, HostUnreachable
from storycanvas.faces.operations import FaceOperation
from storycanvas.gpu.guard.queue import (
    SAY_SECONDS,
    SlotRequest,
    SlotWaitTimedOut,
    dispatcher,
    gpu_guard,
    next_number,
)
from storycanvas.gpu.pool.health import MonitoredHost
from storycanvas.gpu.pool.pool import HostPool
from storycanvas.gpu.pool.selection import Engine, is_hosts_fault
from storycanvas.gpu.run_log import run_log

Bring = Callable[[FaceHostClient], Sequence[str]]
"""Uploads an operation's inputs to a host, unless they are there, and names them as it does."""


@dataclass(frozen=True)
class OperationRequest:
    """An operation that is to be done by one of several hosts.

    Attributes:
        operation: What to do.
        engine: The run's engine; hosts that run another are left out.
        bring: Uploads the inputs to a host.
        run: Name of the run, to be shown to others who wait.
        run_id: Id of the flow run.
        wait_seconds: Longest wait for a slot, in each try.
        priority: Larger goes first.
    """

    operation: FaceOperation
    engine: Engine
    bring: Bring
    run: str
    run_id: str
    wait_seconds: float
    priority: int = 0


LOOK_SECONDS = 0.5
"""How often a step that waits looks which hosts it can wait at."""

HEAD_START_SECONDS = 0.1
"""How long the first host may take to grant a slot before pictures go to the others."""


class HostAttempt:
    """One try of an operation, on one host.

    It waits at every host that can do the operation and has its pictures. The first upload goes to
    the host with the least to do; while the operation waits there, its pictures go to the others,
    too. So nobody holds a slot while pictures are on their way.

    Args:
        farm: The hosts.
        errand: What to do.
        wish: The operation's place among those that wait.
        failed: Names of hosts that have failed this operation already.

    Attributes:
        errand: What to do.
        host: Where it was, or was to be, done; None while that is open.
    """

    def __init__(
        self, farm: HostPool, errand: OperationRequest, wish: SlotRequest, failed: frozenset[str]
    ) -> None:
        self.host: MonitoredHost | None = None
        self._farm = farm
        self.errand = errand
        self._wish = wish
        self._failed = failed
        self._assets: dict[str, Sequence[str]] = {}
        self._begun: set[str] = set()
        self._errors: dict[str, Exception] = {}
        self._say_at = time.monotonic() + SAY_SECONDS
        self._deadline = time.monotonic() + errand.wait_seconds
        self._counted: MonitoredHost | None = None
        self._blamed_for: FaceError | None = None
        self._has_said = False

    @contextmanager
    def held(self) -> Iterator[tuple[MonitoredHost, Sequence[str]]]:
        """Hold the slot.

        Yields:
            The host, and what the inputs are called there.

        Raises:
            FaceError: No host is left that could do it; the newest failure.
            GuardClosed: No host is left whose limit guards.
            SlotWaitTimedOut: No slot came free in time.
        """
        self._farm.join(self._wish)
        try:
            host = self._granted()
            yield host, self._assets[host.name]
        except FaceError as error:
            self.blame(error)
            raise
        finally:
            dispatcher.finish(self._wish)
            self._farm.leave(self._wish)
            self._mean(None)

    def blame(self, error: FaceError) -> MonitoredHost | None:
        """Leave the host out that failed, until it has been asked how it is.

        Args:
            error: What went wrong.

        Returns:
            The host; None if it was no host's fault.
        """
        if self.host is None or not is_hosts_fault(error):
            return None
        if self._blamed_for is not error:
            self._blamed_for = error
            self._farm.doubt(self.host, error)
        return self.host

    def _granted(self) -> MonitoredHost:
        seconds = HEAD_START_SECONDS
        while self._wish.limit is None:
            self._wait_where_possible()
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise self._timed_out()
            self._say_what_it_waits_for()
            self._wish.stirred.wait(min(left, seconds))
            self._wish.stirred.clear()
            seconds = LOOK_SECONDS
        hosts = self._farm.hosts.values()
        host = next(host for host in hosts if host.limit_name == self._wish.limit)
        self._mean(host)
        return host

    def _wait_where_possible(self) -> None:
        open_to = self._open_hosts()
        ready = [host for host in open_to if self._farm.is_ready(host)]
        for host in self._farm.hosts.values():
            if host not in ready:
                dispatcher.remove_candidate(self._wish, host.limit_name)
        if not ready:
            self._wait_for_any()
        elif not self._begun:
            ready = ready[:1]
            self._mean(ready[0])
            self._bring_to(ready[0])
        for host in ready:
            if host.name in self._assets:
                dispatcher.add_candidate(self._wish, host.limit_name, host.slots)
            elif host.name not in self._begun:
                self._begun.add(host.name)
                self._farm.beside(partial(self._bring_in_advance, host))

    def _open_hosts(self) -> list[MonitoredHost]:
        """Hosts that may still do it.

        Raises:
            Exception: None is left; the newest reason.
        """
        able = self._farm.able(self.errand.operation, self.errand.engine)
        refused = self._wish.refused
        out = {*self._failed, *self._errors}
        left = [h for h in able if h.name not in out and h.limit_name not in refused]
        reasons = [*self._errors.values(), *refused.values()]
        if not left and reasons:
            raise reasons[-1]
        return left

    def _wait_for_any(self) -> None:
        """Wait with the others until a host can do it, if none has failed it yet.

        Raises:
            HostUnreachable: One has; trying that again after a while is the task's business.
        """
        if self._failed:
            raise HostUnreachable(
                f"{', '.join(sorted(self._failed))} failed, and no other host can do it now. "
                f"{self._remarks()}".strip()
            )
        if not self._has_said:
            self._has_said = True
            said = "No host can do this now; waiting until one can. %s"
            run_log(__name__).warning(said, self._remarks())

    def _bring_to(self, host: MonitoredHost) -> None:
        self._begun.add(host.name)
        self._assets[host.name] = self.errand.bring(host.client)

    def _bring_in_advance(self, host: MonitoredHost) -> None:
        if self._wish.limit is not None or self._wish.finished.is_set():
            return
        try:
            self._bring_to(host)
            dispatcher.add_candidate(self._wish, host.limit_name, host.slots)
        except Exception as error:  # noqa: BLE001 - raised in the step if no other host is left
            self._errors[host.name] = error
            if isinstance(error, FaceError) and is_hosts_fault(error):
                self._farm.doubt(host, error)
            self._wish.stirred.set()

    def _mean(self, host: MonitoredHost | None) -> None:
        """Note to which host the operation means to go, for the choices of others."""
        if self._counted is not None:
            self._farm.count(self._counted, -1)
        if host is not None:
            self._farm.count(host, 1)
            self.host = host
        self._counted = host

    def _say_what_it_waits_for(self) -> None:
        if self._wish.limits and time.monotonic() >= self._say_at:
            self._say_at = time.monotonic() + SAY_SECONDS
            run_log(__name__).info("Waiting for a slot. %s.", self._holders())

    def _timed_out(self) -> SlotWaitTimedOut:
        return SlotWaitTimedOut(
            f"No slot came free in {self.errand.wait_seconds:.0f} s: {self._holders()}. "
            f"{self._remarks()}".strip()
        )

    def _holders(self) -> str:
        limits = sorted(self._wish.limits)
        return (
            "; ".join(f"'{name}': {gpu_guard(name).holders()}" for name in limits)
            or "no host can do it"
        )

    def _remarks(self) -> str:
        return " ".join(self._farm.remarks(self.errand.engine))


T = TypeVar("T")


def carry_out(farm: HostPool, errand: OperationRequest, work: Callable[[HostAttempt], T]) -> T:
    """Do an errand, each try on a host that has not failed yet.

    Args:
        farm: The hosts.
        errand: What to do.
        work: Makes one try: it takes the slot and does all that the host is needed for.

    Returns:
        What the work returned.

    Raises:
        FaceError: The picture's or the parameters' fault, or that of the last host that could be
            tried.
        GuardClosed: No host is left whose limit guards.
        SlotWaitTimedOut: No slot came free in time.
    """
    number, failed = next_number(), frozenset[str]()
    while True:
        wish = SlotRequest(errand.run, errand.run_id, errand.priority, number)
        slot = HostAttempt(farm, errand, wish, failed)
        try:
            return work(slot)
        except FaceError as error:
            host = slot.blame(error)
            if host is None:
                raise
            failed |= {host.name}
            if not _can_go_on(farm, errand, failed):
                raise
            said = "%s could not do it (%s); another host is tried."
            run_log(__name__).warning(said, host.name, error)


def _can_go_on(farm: HostPool, errand: OperationRequest, failed: frozenset[str]) -> bool:
    """Look for another host that can do it now; for one that may come back the task waits."""
    able = farm.able(errand.operation, errand.engine)
    return any(host.name not in failed and farm.is_ready(host) for host in able)
