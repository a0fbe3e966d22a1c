"""One operation on whichever host of a pool has a free slot first, with failover."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.client.watching import OperationWatch
from storycanvas.faces.contract import OperationAnswer
from storycanvas.faces.errors import BadField, FaceError, HostUnreachable, OperationCancelled
from storycanvas.faces.operations import FaceOperation
from storycanvas.gpu.guard.dispatcher import SlotLost, SlotWait, dispatcher
from storycanvas.gpu.guard.queue import SlotRequest, next_number
from storycanvas.gpu.pool.health import MonitoredHost
from storycanvas.gpu.pool.pool import HostPool
from storycanvas.gpu.pool.selection import Engine, is_hosts_fault
from storycanvas.gpu.prefect_client import run_log

Bring = Callable[[FaceHostClient], Sequence[str]]
"""Uploads an operation's inputs to a host, unless it has them, and returns their names there."""

UploadAgain = Callable[[], object]
"""Uploads an operation's inputs once more to the host that has removed one of them."""

Proceed = Callable[[], None]
"""Asked before an operation uploads or waits; what it raises ends the operation."""

SELECT_SECONDS = 0.5
"""How often a waiting step looks which hosts it can wait at."""


def always() -> None:
    """Let an operation proceed."""


HEAD_START_SECONDS = 0.1
"""How long the first host may take to grant a slot before pictures go to the others."""


@dataclass(frozen=True)
class OperationRequest:
    """An operation that one of several hosts is to do.

    Attributes:
        operation: What to do.
        engine: The run's engine; hosts that run another are left out.
        bring: Uploads the inputs to a host.
        run: Name of the run, shown to others who wait.
        run_id: Id of the flow run.
        wait_seconds: Longest wait for a slot, in each attempt.
        priority: Larger goes first.
        proceed: Raises what ends the operation, as long as no host works on it.
        key: The idempotency key by which a host may have it already; None if none has.
    """

    operation: FaceOperation
    engine: Engine
    bring: Bring
    run: str
    run_id: str
    wait_seconds: float
    priority: int = 0
    proceed: Proceed = always
    key: str | None = None


class HostAttempt:
    """One attempt of an operation, on one host.

    It waits at every host that can do the operation and has its pictures. The first upload goes to
    the host with the least to do; while the operation waits there, its pictures go to the others,
    too. So no slot is held while pictures are on their way.

    Args:
        pool: The hosts.
        request: What to do.
        number: Orders the operation among those of equal priority; the same in all its attempts.
        failed: Names of hosts that have failed this operation already.
        begun_at: Name of the host that has it already, for a run that was killed.

    Attributes:
        request: What to do.
        host: The host that does it, or is likely to; None while that is open.
    """

    def __init__(
        self,
        pool: HostPool,
        request: OperationRequest,
        number: int,
        failed: frozenset[str],
        begun_at: str | None = None,
    ) -> None:
        self.request = request
        self.host: MonitoredHost | None = None
        self._pool = pool
        self._slot = SlotRequest(request.run, request.run_id, request.priority, number)
        self._wait = SlotWait(dispatcher, self._slot, request.wait_seconds, self._remarks)
        self._failed = failed
        self._begun_at = begun_at
        self._assets: dict[str, Sequence[str]] = {}
        self._uploading: set[str] = set()
        self._errors: dict[str, Exception] = {}
        self._loaded: MonitoredHost | None = None
        self._recorded: FaceError | None = None
        self._watch: OperationWatch | None = None
        self._is_lost = False
        self._slot.lost = self._lose
        self._has_warned = False

    @contextmanager
    def held(self) -> Iterator[tuple[MonitoredHost, Sequence[str]]]:
        """Hold the slot.

        Yields:
            The host, and the names of the inputs there.

        Raises:
            FaceError: No host is left that could do it; the newest failure.
            GuardClosed: No host is left whose limit guards.
            SlotWaitTimedOut: No slot came free in time.
        """
        self._pool.add_request(self._slot)
        try:
            host = self._granted()
            self.request.proceed()
            yield host, self._assets[host.name]
        except FaceError as error:
            self.record_failure(error)
            raise
        finally:
            dispatcher.release(self._slot)
            self._pool.remove_request(self._slot)
            self._bind_to(None)

    def operate(
        self,
        host: MonitoredHost,
        assets: Sequence[str],
        key: str,
        upload_again: UploadAgain,
        *,
        measure: bool = True,
    ) -> OperationAnswer:
        """Have the operation done while the slot is held; the slot goes back with the engine's end.

        Args:
            host: The host that `held` gave.
            assets: The inputs there.
            key: The idempotency key.
            upload_again: Uploads the inputs once more, if the host has removed one.
            measure: Whether a host that can measures the likeness of the changed face.

        Raises:
            OperationCancelled: The run was stopped; the host has given the operation up.
            SlotLost: The slot's lease ran out; the host has given the operation up.
            FaceError: It failed.
        """
        watch = OperationWatch(partial(dispatcher.release, self._slot))
        self._watch = watch
        try:
            with self._pool.watching(watch):
                operate = partial(
                    host.client.operate,
                    self.request.operation,
                    assets,
                    key,
                    upload_again=upload_again,
                    watch=watch,
                )
                try:
                    return operate(measure=measure)
                except BadField:
                    if measure:
                        raise
                    return operate()  # an older host does not know the field, and measures nothing
        except OperationCancelled as error:
            if not self._is_lost:
                raise
            raise SlotLost(
                f"The slot of '{host.limit_name}' ran out while {self.request.operation.path} was "
                "on it, since Prefect's server did not renew it; the host has given it up."
            ) from error
        finally:
            self._watch = None

    def _lose(self) -> None:
        """Give the operation up: another holder may have the slot by now."""
        self._is_lost = True
        watch = self._watch
        if watch is not None:
            self._pool.run_in_background(watch.cancel)

    def record_failure(self, error: FaceError) -> MonitoredHost | None:
        """Mark the host unhealthy and return it, if the failure is its fault; else return None."""
        if self.host is None or not is_hosts_fault(error):
            return None
        if self._recorded is not error:
            self._recorded = error
            self._pool.mark_unhealthy(self.host, error)
        return self.host

    def _granted(self) -> MonitoredHost:
        seconds = HEAD_START_SECONDS
        while self._slot.limit is None:
            self.request.proceed()
            self._update_candidates()
            self._wait.wait(seconds)
            seconds = SELECT_SECONDS
        hosts = self._pool.hosts.values()
        host = next(host for host in hosts if host.limit_name == self._slot.limit)
        self._bind_to(host)
        return host

    def _update_candidates(self) -> None:
        """Wait at the hosts that are ready and have the pictures, and send them to the rest."""
        ready = [host for host in self._open_hosts() if self._pool.is_ready(host)]
        # No other does a second time what one has begun, even if its slot comes free later.
        ready = [host for host in ready if host.name == self._begun_at] or ready
        for host in self._pool.hosts.values():
            if host not in ready:
                dispatcher.remove_candidate(self._slot, host.limit_name)
        if not ready:
            self._warn_that_none_is_ready()
        elif not self._uploading:
            ready = ready[:1]
            self._bind_to(ready[0])
            self._upload_to(ready[0])
        for host in ready:
            if host.name in self._assets:
                dispatcher.add_candidate(self._slot, host.limit_name, host.slots)
            elif host.name not in self._uploading:
                self._uploading.add(host.name)
                self._pool.run_in_background(partial(self._upload_in_advance, host))

    def _open_hosts(self) -> list[MonitoredHost]:
        """List the hosts that may still do it; if none is left, raise the newest reason."""
        able = self._pool.able(self.request.operation, self.request.engine)
        refused = self._slot.refused
        out = {*self._failed, *self._errors}
        left = [h for h in able if h.name not in out and h.limit_name not in refused]
        reasons = [*self._errors.values(), *refused.values()]
        if not left and reasons:
            raise reasons[-1]
        return left

    def _warn_that_none_is_ready(self) -> None:
        """Wait until a host is back, if no host has failed this operation yet.

        Raises:
            HostUnreachable: A host has failed it; the task's own retry comes later.
        """
        if self._failed:
            raise HostUnreachable(
                f"{', '.join(sorted(self._failed))} failed, and no other host can do it now. "
                f"{self._remarks()}".strip()
            )
        if not self._has_warned:
            self._has_warned = True
            message = "No host can do this now; waiting until one can. %s"
            run_log(__name__).warning(message, self._remarks())

    def _upload_to(self, host: MonitoredHost) -> None:
        self.request.proceed()
        self._uploading.add(host.name)
        self._assets[host.name] = self.request.bring(host.client)

    def _upload_in_advance(self, host: MonitoredHost) -> None:
        if self._slot.limit is not None or self._slot.released.is_set():
            return
        try:
            self._upload_to(host)
            dispatcher.add_candidate(self._slot, host.limit_name, host.slots)
        except Exception as error:  # noqa: BLE001 - raised in the step if no other host is left
            self._errors[host.name] = error
            if isinstance(error, FaceError) and is_hosts_fault(error):
                self._pool.mark_unhealthy(host, error)
            self._slot.answered.set()

    def _bind_to(self, host: MonitoredHost | None) -> None:
        """Count the operation as load of the host that it is bound for."""
        if self._loaded is not None:
            self._pool.add_load(self._loaded, -1)
        if host is not None:
            self._pool.add_load(host, 1)
            self.host = host
        self._loaded = host

    def _remarks(self) -> str:
        return " ".join(self._pool.remarks(self.request.engine))


T = TypeVar("T")


def run_with_failover(
    pool: HostPool, request: OperationRequest, work: Callable[[HostAttempt], T]
) -> T:
    """Do an operation, each attempt on a host that has not failed it yet.

    Args:
        pool: The hosts.
        request: What to do.
        work: Makes one attempt: takes the slot and does all that the host is needed for.

    Raises:
        FaceError: The fault of picture or parameters, or of the last host that could be tried.
        GuardClosed: No host is left whose limit guards.
        SlotWaitTimedOut: No slot came free in time.
    """
    number, failed = next_number(), frozenset[str]()
    begun_at = pool.begun_at(request.key) if request.key else None
    while True:
        attempt = HostAttempt(pool, request, number, failed, begun_at)
        try:
            return work(attempt)
        except FaceError as error:
            host = attempt.record_failure(error)
            if host is None:
                raise
            failed |= {host.name}
            if not _has_alternative(pool, request, failed):
                raise
            message = "%s could not do it (%s); another host is tried."
            run_log(__name__).warning(message, host.name, error)


def _has_alternative(pool: HostPool, request: OperationRequest, failed: frozenset[str]) -> bool:
    """Look for another host that can do it now; a host that may come back is left to the task."""
    able = pool.able(request.operation, request.engine)
    return any(host.name not in failed and pool.is_ready(host) for host in able)
