"""The GPU hosts of a run: a step goes to the first free host that can do it."""

import contextvars
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Self

from storycanvas.faces.client.watching import OperationWatch
from storycanvas.faces.contract import HostStatus
from storycanvas.faces.errors import EngineChanged, FaceError, HostUnreachable
from storycanvas.faces.operations import FaceOperation
from storycanvas.gpu.guard.dispatcher import dispatcher
from storycanvas.gpu.guard.limit import GpuLimit, GuardClosed
from storycanvas.gpu.guard.queue import SlotRequest
from storycanvas.gpu.pool.health import GpuHost, MonitoredHost
from storycanvas.gpu.pool.selection import (
    Engine,
    HostSnapshot,
    able_hosts,
    engine_of,
    engine_of_most,
    other_engines,
)
from storycanvas.gpu.prefect_client import run_log


class HostPool:
    """One or several hosts, each behind its own limit. Shared by the threads of one run.

    Args:
        hosts: The hosts; of two with the same limit the first counts.

    Attributes:
        hosts: The hosts by their addresses, in the operator's order.
    """

    def __init__(self, hosts: Sequence[GpuHost]) -> None:
        by_limit: dict[str, GpuHost] = {}
        for host in hosts:
            by_limit.setdefault(host.limit_name, host)
        self._exit_stack = ExitStack()
        monitored = [self._exit_stack.enter_context(MonitoredHost(h)) for h in by_limit.values()]
        self.hosts: dict[str, MonitoredHost] = {host.name: host for host in monitored}
        self._unguarded: dict[str, GuardClosed] = {}
        self._load = dict.fromkeys(self.hosts, 0)
        self._requests: set[SlotRequest] = set()
        self._watches: set[OperationWatch] = set()
        self._cancels = False
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(2 * len(monitored), thread_name_prefix="pool")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, raised: type[BaseException] | None, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        # Prefect ends a process that was sent SIGTERM by the signal's default action, so nothing
        # that is registered with `atexit` runs, and the slot would stay taken for its whole lease.
        if raised is not None and not issubclass(raised, Exception):
            dispatcher.settle()
        self._exit_stack.close()

    @property
    def names(self) -> str:
        """The addresses, separated by commas."""
        return ", ".join(self.hosts)

    def check(self) -> None:
        """Make sure that the limits guard, before any work begins, and from time to time.

        A host whose limit does not guard gets no work; log and report name it.

        Raises:
            GuardClosed: No host's limit guards.
        """
        known, self._unguarded = self._unguarded, {}
        for host in self.hosts.values():
            try:
                with GpuLimit(host.limit_name) as limit:
                    host.slots = limit.read().slots
            except GuardClosed as error:
                self._unguarded[host.name] = error
        if len(self._unguarded) == len(self.hosts):
            raise next(iter(self._unguarded.values()))
        for name, refusal in self._unguarded.items():
            if name not in known:
                run_log(__name__).warning("%s", refusal)

    def status(self) -> HostStatus:
        """Check all hosts, and choose the engine of the run: that of most of them.

        Several hosts are checked again from time to time until the pool is closed.

        Returns:
            The status of the first host that runs it.

        Raises:
            FaceError: No host can work now.
        """
        for checked in [self.run_in_background(host.check) for host in self.hosts.values()]:
            checked.result()
        snapshots = self._snapshots()
        engine = engine_of_most(snapshots)
        statuses = [host.status for host in snapshots if host.healthy and host.status]
        if engine is None or not statuses:
            raise self._none_healthy()
        if len(self.hosts) > 1:
            for host in self.hosts.values():
                host.watch()
        return next(status for status in statuses if engine_of(status) == engine)

    def able(self, operation: FaceOperation, engine: Engine) -> list[MonitoredHost]:
        """Choose the hosts that can do an operation, now or when they are back.

        Returns:
            At least one; the one with the least to do first.

        Raises:
            EngineChanged: None of them runs the engine any more.
        """
        chosen = able_hosts(self._snapshots(), operation, engine)
        if not chosen:
            raise EngineChanged(
                f"No host of {self.names} runs {' '.join(engine)} any more; start the run again."
            )
        with self._lock:
            load = {host.name: self._load[host.name] / host.slots for host in self.hosts.values()}
        return sorted((self.hosts[host.name] for host in chosen), key=lambda host: load[host.name])

    def begun_at(self, key: str) -> str | None:
        """Find the host that works on an operation, or keeps its result, for a run that was killed.

        Returns:
            Its name; None if there is none, or only one host, which joins both by itself.
        """
        asked = {
            host.name: self._threads.submit(_has_begun, host, key)
            for host in self.hosts.values()
            if len(self.hosts) > 1 and host.snapshot.healthy
        }
        return next((name for name, has_begun in asked.items() if has_begun.result()), None)

    def is_ready(self, host: MonitoredHost) -> bool:
        """Check whether a host can work now; an only host always counts as ready.

        A task's retries bridge the outages of an only host, so its steps do not wait for it here.
        """
        return host.snapshot.healthy or len(self.hosts) == 1

    def mark_unhealthy(self, host: MonitoredHost, error: FaceError) -> None:
        """Leave a failed host out until a check finds it healthy."""
        if len(self.hosts) == 1:
            return
        host.mark_unhealthy(error)
        with self._lock:
            requests = list(self._requests)
        for request in requests:
            dispatcher.remove_candidate(request, host.limit_name)

    def add_request(self, request: SlotRequest) -> None:
        """Register a waiting request, which then leaves the queue of a host that fails."""
        with self._lock:
            self._requests.add(request)

    def remove_request(self, request: SlotRequest) -> None:
        """Forget a request that no longer waits."""
        with self._lock:
            self._requests.discard(request)

    def waiting(self) -> list[SlotRequest]:
        """List the requests that wait for a slot; none while another one of the run has a slot."""
        with self._lock:
            requests = [each for each in self._requests if not each.released.is_set()]
        return [] if any(each.limit for each in requests) else requests

    def withdraw_requests(self) -> None:
        """End the wait of all requests for a slot; operations that hold one go on."""
        with self._lock:
            requests = list(self._requests)
        for request in requests:
            dispatcher.withdraw(request)

    @contextmanager
    def watching(self, watch: OperationWatch) -> Iterator[None]:
        """Let `cancel_operations` end an operation; one that begins after it is ended at once."""
        with self._lock:
            self._watches.add(watch)
            if self._cancels:
                watch.cancel()  # nothing is submitted yet, so no host is asked
        try:
            yield
        finally:
            with self._lock:
                self._watches.discard(watch)

    def cancel_operations(self) -> None:
        """Have the hosts give up what they work on, and begin no operation any more."""
        with self._lock:
            self._cancels = True
            watches = list(self._watches)
        for watch in watches:
            self.run_in_background(watch.cancel)

    def add_load(self, host: MonitoredHost, change: int) -> None:
        """Count a step that is bound for a host, with 1, or no longer is, with -1."""
        with self._lock:
            self._load[host.name] += change

    def run_in_background(self, work: Callable[[], None]) -> "Future[None]":
        """Run something in another thread, which logs where this one does."""
        return self._threads.submit(contextvars.copy_context().run, work)

    def remarks(self, engine: Engine) -> tuple[str, ...]:
        """Explain which hosts take no part in the run; empty for an only host."""
        if len(self.hosts) == 1:
            return ()
        unguarded = [
            f"{name} was not guarded at the start: {error}"
            for name, error in self._unguarded.items()
        ]
        failing = [
            f"{host.name} is left out: {host.error}" for host in self.hosts.values() if host.error
        ]
        return (*unguarded, *other_engines(self._snapshots(), engine), *failing)

    def _snapshots(self) -> list[HostSnapshot]:
        return [host.snapshot for host in self.hosts.values()]

    def _none_healthy(self) -> FaceError:
        errors = [host.error for host in self.hosts.values() if host.error]
        if len(errors) == 1:
            return errors[0]
        return HostUnreachable(
            f"None of {len(errors)} hosts can work: {' '.join(map(str, errors))}"
        )


def _has_begun(host: MonitoredHost, key: str) -> bool:
    try:
        return host.client.has_begun(key)
    except FaceError:  # told by the check of its health
        return False
