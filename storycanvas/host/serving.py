"""Running the application on a socket until a signal ends it."""

import logging
import math
import os
import signal
import socket
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI

from storycanvas.host.app import create_app
from storycanvas.host.engines.engine import Engine
from storycanvas.host.operations.runs import OperationRuns
from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.host.settings import HostSettings
from storycanvas.net.atomic_files import exclusive_lock

_log = logging.getLogger(__name__)

_BACKLOG = 1024

FETCH_SECONDS = 3.0
"""How long a stopping host stays after its last answer, so that its picture can be fetched."""


class HostServer(uvicorn.Server):
    """A server that still answers while the operations that run at a stop end.

    New operations and those that wait get 503 with `Retry-After`, the status is `stopping`.
    Nothing is closed before the last running operation has answered and its picture could be
    fetched, or the time for it is over.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI, stop_seconds: float) -> None:
        super().__init__(config)
        self._queue: WorkQueue = app.state.queue
        self._runs: OperationRuns = app.state.runs
        self._stop_seconds = stop_seconds
        self._worked_at: float | None = None

    async def on_tick(self, counter: int) -> bool:
        """Decide ten times a second whether the server closes."""
        if not await super().on_tick(counter):
            return False
        self._queue.stop()
        return self.force_exit or not self._is_needed() or self._seconds_left() <= 0

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close; answers that are on their way get what is left of the time, at least a second."""
        self.config.timeout_graceful_shutdown = max(1, math.ceil(self._seconds_left()))
        await super().shutdown(sockets)

    def _is_needed(self) -> bool:
        """Whether an operation runs, or the picture of the last one may still be fetched."""
        if self._runs.under_way:
            self._worked_at = time.monotonic()
        return self._worked_at is not None and time.monotonic() < self._worked_at + FETCH_SECONDS

    def _seconds_left(self) -> float:
        return self._stop_seconds - self._queue.stopping_seconds


def listen(settings: HostSettings) -> socket.socket:
    """Open the socket; with port 0 the system chooses the port."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Where the protocol is named asyncio sends small answers at once; else each waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def server_for(settings: HostSettings, engine: Engine) -> HostServer:
    """Build the server of a host, ready for `run(sockets=[...])`."""
    app = create_app(settings, engine)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,  # it would write whole URLs
        lifespan="on",
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=30,
    )
    return HostServer(config, app, settings.stop_seconds)


def serve(settings: HostSettings, engine: Engine) -> None:
    """Serve until SIGTERM or SIGINT, then raise SystemExit with status 0.

    Raises:
        OSError: The address or the data folder cannot be used, or another host uses them.
    """
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Two hosts would remove each other's pictures.
    refusal = f"another host uses the folder {folder}; give each its own --data-dir"
    with exclusive_lock(folder / "in-use", refusal), listen(settings) as listener:
        server = server_for(settings, engine)
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        port = listener.getsockname()[1]
        _log.info("engine %s %s, %d slots", engine.name, engine.version, settings.slots)
        _log.info("listening on http://%s:%d", name, port)
        server.run(sockets=[listener])


def _end(_: int, __: FrameType | None) -> None:
    """Uvicorn raises the signal again once it has stopped."""
    raise SystemExit(0)
