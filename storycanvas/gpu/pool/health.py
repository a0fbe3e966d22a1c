"""Whether a host of a farm can work: asked before its first use, then from time to time."""

import contextvars
import threading
from dataclasses import dataclass, field
from typing import Self

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.contract import HostStatus
from storycanvas.faces.errors import FaceError, HostNotReady
from storycanvas.gpu.pool.selection import Seen
from storycanvas.gpu.run_log import run_log

LOOK_SECONDS = 30.0
"""How often a host that is fine is asked."""

LOOK_AGAIN_SECONDS = 5.0
"""How often one that is left out is asked whether it is back."""


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
    """A host with what is known of it. Used by the threads of one run; close it in the end.

    Args:
        host: Its address, limit and token.

    Attributes:
        name: Its address, which holds no secret.
        limit_name: Its Prefect limit.
        client: A connection to it.
        slots: Operations that its limit lets through at one time.
        error: Why it is left out; None while it is fine or unknown.
    """

    def __init__(self, host: GpuHost) -> None:
        self.client: FaceHostClient = host.client()
        self.name = self.client.url
        self.limit_name = host.limit_name
        self.slots = 1
        self.error: FaceError | None = None
        self._status: HostStatus | None = None
        self._fine = False
        self._doubted = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._doubted.set()
        if self._thread is not None:
            self._thread.join()
        self.client.close()

    @property
    def seen(self) -> Seen:
        """What is known of it now."""
        return Seen(self.name, self._status, self._fine)

    def look(self) -> None:
        """Ask it for its status; a change is said in the log, once."""
        try:
            status = self.client.status()
            if status.status != "ok":
                raise HostNotReady(f"The face host {self.name} says '{status.status}'.")
        except FaceError as error:
            self._left_out(error)
        else:
            self._back(status)

    def doubt(self, error: FaceError) -> None:
        """Leave it out, for it has failed, until it has been asked again, which is now."""
        self._left_out(error)
        self._doubted.set()

    def watch(self) -> None:
        """Keep asking, in a thread that ends with `close`."""
        if self._thread is None:
            context = contextvars.copy_context()
            self._thread = threading.Thread(
                target=context.run, args=(self._watch,), name=f"watch {self.name}", daemon=True
            )
            self._thread.start()

    def _watch(self) -> None:
        while True:
            self._doubted.wait(LOOK_SECONDS if self._fine else LOOK_AGAIN_SECONDS)
            self._doubted.clear()
            if self._closing:
                return
            self.look()

    def _left_out(self, error: FaceError) -> None:
        news = self.error is None
        self.error, self._fine = error, False
        if news:
            said = "The host %s is left out until it answers again: %s"
            run_log(__name__).warning(said, self.name, error)

    def _back(self, status: HostStatus) -> None:
        news = self.error is not None
        self.error, self._status, self._fine = None, status, True
        if news:
            run_log(__name__).info("The host %s is back.", self.name)
