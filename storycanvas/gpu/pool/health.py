"""Whether a host can work: checked before its first use, then from time to time."""

import contextvars
import threading
from dataclasses import dataclass, field
from typing import Self

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.contract import HostStatus
from storycanvas.faces.errors import FaceError, HostNotReady
from storycanvas.gpu.pool.selection import HostSnapshot
from storycanvas.gpu.prefect_client import run_log

CHECK_SECONDS = 30.0
"""How often a healthy host is checked."""

RECHECK_SECONDS = 5.0
"""How often an unhealthy host is checked."""


@dataclass(frozen=True)
class GpuHost:
    """A face host as a plain value, whatever configures it.

    Attributes:
        url: Its address, `http://host:port`.
        limit_name: The Prefect global concurrency limit that guards it.
        token: Its token; never shown.
    """

    url: str
    limit_name: str
    token: str | None = field(default=None, repr=False)

    def client(self) -> FaceHostClient:
        """Open a connection to the host; close it, or use it as a context."""
        return FaceHostClient(self.url, self.token)


class MonitoredHost:
    """A host with what is known of it. Shared by the threads of one run.

    Args:
        host: Its address, limit and token.

    Attributes:
        name: Its address, which holds no secret.
        limit_name: Its Prefect limit.
        client: A connection to it.
        slots: Operations that its limit lets through at one time.
        error: Why it is unhealthy; None while it is healthy or not checked yet.
    """

    def __init__(self, host: GpuHost) -> None:
        self.client: FaceHostClient = host.client()
        self.name = self.client.url
        self.limit_name = host.limit_name
        self.slots = 1
        self.error: FaceError | None = None
        self._status: HostStatus | None = None
        self._healthy = False
        self._check_now = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._check_now.set()
        if self._thread is not None:
            self._thread.join()
        self.client.close()

    @property
    def snapshot(self) -> HostSnapshot:
        """What is known of it now."""
        return HostSnapshot(self.name, self._status, self._healthy)

    def check(self) -> None:
        """Read its status; a change of its health is logged once."""
        try:
            status = self.client.status()
            if status.status != "ok":
                why = f": {status.reason}" if status.reason else "."
                raise HostNotReady(f"The face host {self.name} answers '{status.status}'{why}")
        except FaceError as error:
            self._set_unhealthy(error)
        else:
            self._set_healthy(status)

    def mark_unhealthy(self, error: FaceError) -> None:
        """Mark the host unhealthy and schedule an immediate check."""
        self._set_unhealthy(error)
        self._check_now.set()

    def watch(self) -> None:
        """Keep checking, in a thread that ends with the context."""
        if self._thread is None:
            context = contextvars.copy_context()
            self._thread = threading.Thread(
                target=context.run, args=(self._watch,), name=f"watch {self.name}", daemon=True
            )
            self._thread.start()

    def _watch(self) -> None:
        while True:
            self._check_now.wait(CHECK_SECONDS if self._healthy else RECHECK_SECONDS)
            self._check_now.clear()
            if self._closing:
                return
            self.check()

    def _set_unhealthy(self, error: FaceError) -> None:
        is_news = self.error is None
        self.error, self._healthy = error, False
        if is_news:
            run_log(__name__).warning(
                "The host %s is left out until it answers again: %s", self.name, error
            )

    def _set_healthy(self, status: HostStatus) -> None:
        is_news = self.error is not None
        self.error, self._status, self._healthy = None, status, True
        if is_news:
            run_log(__name__).info("The host %s is back.", self.name)
