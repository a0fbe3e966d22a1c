"""Running the application on a socket until a signal ends it."""

import logging
import math
import os
import signal
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from host.app import create_app
from host.engines.engine import Engine
from host.settings import HostSettings

_log = logging.getLogger(__name__)

_BACKLOG = 1024


class HostServer(uvicorn.Server):
    """A server that turns waiting operations away when it is told to stop."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let running operations end, and end."""
        app = self.config.app
        assert isinstance(app, FastAPI)  # noqa: S101 - put there by server_for
        app.state.queue.stop()
        await super().shutdown(sockets)


def listen(settings: HostSettings) -> socket.socket:
    """Open the socket; with port 0 the system chooses the port.

    Raises:
        OSError: The address is taken, or is not one of this machine's.
    """
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
    config = uvicorn.Config(
        create_app(settings, engine),
        log_config=None,
        log_level="warning",
        access_log=False,  # it would write whole URLs
        lifespan="on",
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=math.ceil(settings.stop_seconds),
    )
    return HostServer(config)


def serve(settings: HostSettings, engine: Engine) -> None:
    """Serve until SIGTERM or SIGINT, then end the process in good order with status 0.

    Args:
        settings: What the operator decided.
        engine: What carries out the operations.

    Raises:
        OSError: The address or the data folder cannot be used.
        SystemExit: At the signal.
    """
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    server = server_for(settings, engine)
    with listen(settings) as listener:
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        port = listener.getsockname()[1]
        _log.info("engine %s %s, %d slots", engine.name, engine.version, settings.slots)
        _log.info("listening on http://%s:%d", name, port)
        server.run(sockets=[listener])


def _end(_: int, __: FrameType | None) -> None:
    """Uvicorn raises the signal again once it has stopped."""
    raise SystemExit(0)
