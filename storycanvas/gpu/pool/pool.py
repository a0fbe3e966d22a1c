"""The GPU hosts of a run: a step goes to the first free one that can do it."""

import contextvars
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Self

from storycanvas.faces.contract import HostStatus
from storycanvas.faces.errors import EngineChanged, FaceError, HostUnreachable
from storycanvas.faces.operations import FaceOperation
from storycanvas.gpu.guard.limit import GpuLimit, GuardClosed
from storycanvas.gpu.guard.queue import SlotRequest, dispatcher, gpu_guard
from storycanvas.gpu.pool.health import GpuHost, MonitoredHost
from storycanvas.gpu.pool.selection import (
    Engine,
    Seen,
    able_hosts,
    engine_of,
    engine_of_most,
    other_engines,
)
from storycanvas.gpu.run_log import run_log


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
        self._ending = ExitStack()
        watched = [self._ending.enter_context(MonitoredHost(host)) for host in by_limit.values()]
        self.hosts: dict[str, MonitoredHost] = {host.name: host for host in watched}
        self._closed: dict[str, GuardClosed] = {}
        self._load = dict.fromkeys(self.hosts, 0)
        self._wishes: set[SlotRequest] = set()
        self._lock = threading.Lock()
        self._beside = ThreadPoolExecutor(2 * len(watched), thread_name_prefix="farm")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._beside.shutdown(cancel_futures=True)
        self._ending.close()

    @property
    def names(self) -> str:
        """The addresses, separated by commas."""
        return ", ".join(self.hosts)

    def check(self) -> None:
        """Make sure before any work is begun that guards are there.

        A host whose limit does not guard gets no work; the log and the report say so.

        Raises:
            GuardClosed: No host's limit guards.
        """
        for host in self.hosts.values():
            try:
                gpu_guard(host.limit_name).check()
                with GpuLimit(host.limit_name) as limit:
                    host.slots = limit.read().slots
            except GuardClosed as error:
                self._closed[host.name] = error
        if len(self._closed) == len(self.hosts):
            raise next(iter(self._closed.values()))
        for closed in self._closed.values():
            run_log(__name__).warning("%s", closed)

    def status(self) -> HostStatus:
        """Ask all hosts, and choose the engine of the run: that of most of them.

        Several hosts are asked again from time to time until the farm is closed.

        Returns:
            What the first of them that runs it says.

        Raises:
            FaceError: No host can work now.
        """
        for look in [self.beside(host.look) for host in self.hosts.values()]:
            look.result()
        seen = self._seen()
        engine = engine_of_most(seen)
        said = [host.status for host in seen if host.fine and host.status]
        if engine is None or not said:
            raise self._nobody()
        if len(self.hosts) > 1:
            for host in self.hosts.values():
                host.watch()
        return next(status for status in said if engine_of(status) == engine)

    def able(self, operation: FaceOperation, engine: Engine) -> list[MonitoredHost]:
        """Choose the hosts that can do an operation, now or when they are back.

        Returns:
            At least one; the one with the least to do first.

        Raises:
            EngineChanged: None of them runs the engine any more.
        """
        chosen = able_hosts(self._seen(), operation, engine)
        if not chosen:
            raise EngineChanged(
                f"No host of {self.names} runs {' '.join(engine)} any more; start the run again."
            )
        with self._lock:
            load = {host.name: self._load[host.name] / host.slots for host in self.hosts.values()}
        return sorted((self.hosts[host.name] for host in chosen), key=lambda host: load[host.name])

    def is_ready(self, host: MonitoredHost) -> bool:
        """Tell whether a host can work now; the only host always counts as such.

        A task's retries bridge the outages of an only host, so its steps do not wait for it here.
        """
        return host.seen.fine or len(self.hosts) == 1

    def doubt(self, host: MonitoredHost, error: FaceError) -> None:
        """Leave a host out that has failed, until it has been asked how it is."""
        if len(self.hosts) == 1:
            return
        host.doubt(error)
        with self._lock:
            wishes = list(self._wishes)
        for wish in wishes:
            dispatcher.remove_candidate(wish, host.limit_name)

    def join(self, wish: SlotRequest) -> None:
        """Note that a step waits for the farm, so that it waits at no host that has failed."""
        with self._lock:
            self._wishes.add(wish)

    def leave(self, wish: SlotRequest) -> None:
        """Note that a step waits no longer."""
        with self._lock:
            self._wishes.discard(wish)

    def count(self, host: MonitoredHost, change: int) -> None:
        """Note that a step means to go to a host, with 1, or does so no longer, with -1."""
        with self._lock:
            self._load[host.name] += change

    def beside(self, work: Callable[[], None]) -> "Future[None]":
        """Do something in another thread, which logs where this one does."""
        return self._beside.submit(contextvars.copy_context().run, work)

    def remarks(self, engine: Engine) -> tuple[str, ...]:
        """Say which hosts take no part in the run, and why; nothing of an only host."""
        if len(self.hosts) == 1:
            return ()
        closed = [
            f"{name} was closed at the begin: {error}" for name, error in self._closed.items()
        ]
        failing = [
            f"{host.name} is left out: {host.error}" for host in self.hosts.values() if host.error
        ]
        return (*closed, *other_engines(self._seen(), engine), *failing)

    def _seen(self) -> list[Seen]:
        return [host.seen for host in self.hosts.values()]

    def _nobody(self) -> FaceError:
        errors = [host.error for host in self.hosts.values() if host.error]
        if len(errors) == 1:
            return errors[0]
        return HostUnreachable(
            f"None of {len(errors)} hosts can work: {' '.join(map(str, errors))}"
        )
