"""Running the application on a socket until a signal ends it."""

import ctypes
import logging
import math
import signal
import socket
import sys
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI

from storycanvas.host.app import create_app
from storycanvas.host.connections import connections_within, raise_file_limit
from storycanvas.host.engines.engine import Engine
from storycanvas.host.listening import ACCEPTED_AT_ONCE, address_of, listen
from storycanvas.host.operations.runs import OperationRuns
from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.host.settings import HostSettings, load_certificate
from storycanvas.net.atomic_files import exclusive_lock

_log = logging.getLogger(__name__)

_TICKS_A_MINUTE = 600
_M_MMAP_THRESHOLD = -3
_LARGE_BLOCK = 1024 * 1024

FETCH_SECONDS = 3.0
"""How long a stopping host stays after its last answer, so that its picture can be fetched."""


class HostServer(uvicorn.Server):
    """A server that still answers while the operations that run at a stop end.

    New operations and those that wait get 503 with `Retry-After`, the status is `stopping`.
    Nothing is closed before the last running operation has answered and its picture could be
    fetched, or the time for it is over.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI, settings: HostSettings) -> None:
        super().__init__(config)
        self._queue: WorkQueue = app.state.queue
        self._runs: OperationRuns = app.state.runs
        self._stop_seconds = settings.stop_seconds
        self._certificate = (settings.tls_cert, settings.tls_key)
        self._worked_at: float | None = None

    async def on_tick(self, counter: int) -> bool:
        """Decide ten times a second whether the server closes."""
        if counter % _TICKS_A_MINUTE == 0 and counter:
            self._renew_certificate()
        if not await super().on_tick(counter):
            return False
        self._queue.stop()
        return self.force_exit or not self._is_needed() or self._seconds_left() <= 0

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close; answers that are on their way get what is left of the time, at least a second."""
        self.config.timeout_graceful_shutdown = max(1, math.ceil(self._seconds_left()))
        await super().shutdown(sockets)

    def _renew_certificate(self) -> None:
        """Read the certificate anew for later connections; an unusable one changes nothing."""
        context, (certificate, key) = self.config.ssl, self._certificate
        if context is None or certificate is None or key is None:
            return
        try:
            load_certificate(certificate, key)
            load_certificate(certificate, key, context)
        except ValueError as error:
            _log.error("the certificate is not renewed: %s", error)

    def _is_needed(self) -> bool:
        """Whether an operation runs, or the picture of the last one may still be fetched."""
        if self._runs.under_way:
            self._worked_at = time.monotonic()
        return self._worked_at is not None and time.monotonic() < self._worked_at + FETCH_SECONDS

    def _seconds_left(self) -> float:
        return self._stop_seconds - self._queue.stopping_seconds


def server_for(settings: HostSettings, engine: Engine) -> HostServer:
    """Build the server of a host, ready for `run(sockets=[...])`."""
    app = create_app(settings, engine)
    config = uvicorn.Config(
        app,
        http=app.state.connections.protocol(),
        backlog=ACCEPTED_AT_ONCE,
        log_config=None,
        log_level="warning",
        access_log=False,  # it would write whole URLs
        lifespan="on",
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=30,
        loop="storycanvas.host.connections:HostLoop",
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    return HostServer(config, app, settings)


def serve(settings: HostSettings, engine: Engine) -> None:
    """Serve until SIGTERM or SIGINT, then raise SystemExit with status 0.

    Raises:
        OSError: The address or the data folder cannot be used, or another host uses them.
    """
    _give_pixels_back()
    settings = _within_files(settings)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Two hosts would remove each other's pictures.
    refusal = f"another host uses the folder {folder}; give each its own --data-dir"
    with exclusive_lock(folder / "in-use", refusal), listen(settings) as listener:
        server = server_for(settings, engine)
        port = listener.getsockname()[1]
        _log.info("engine %s %s, %d slots", engine.name, engine.version, settings.slots)
        _log.info("listening on %s", address_of(settings, port))
        server.run(sockets=[listener])


def _give_pixels_back() -> None:
    """Have glibc return large blocks to the system as soon as they are freed.

    By itself it keeps blocks of up to 32 MiB, once one was freed, for the thread that had them, and
    Pillow's have 16: a third of the memory was such (docs/figures.md).
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)


def _within_files(settings: HostSettings) -> HostSettings:
    """Lower the number of connections to what the limit of open files allows."""
    files = raise_file_limit()
    connections = connections_within(files, settings.connections)
    if connections < settings.connections:
        _log.warning(
            "at most %d connections, since this process may open %d files; raise LimitNOFILE",
            connections,
            files,
        )
    return settings.model_copy(update={"connections": connections})


def _end(_: int, __: FrameType | None) -> None:
    """Uvicorn raises the signal again once it has stopped."""
    raise SystemExit(0)
