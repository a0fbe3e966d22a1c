"""Which loopback port a service gets."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any

import psutil

TIMEOUT_SECONDS = 5.0

# A proxy from the environment must not come between this machine and itself.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON is any value
    """Get a JSON document from an http address on loopback, or post one to it if there is a body.

    Returns:
        The document; None when nothing answers yet, or not with success.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - the callers' addresses are http on loopback
        url, data=data, headers={"Content-Type": "application/json"}
    )
    try:
        with _direct.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


LOOPBACK = "127.0.0.1"


def choose_port(preferred: Iterable[int | None]) -> int:
    """Take the first preferred port that is free, else any free one; None entries are skipped."""
    for port in preferred:
        if port and is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def listener(port: int) -> str:
    """Name the process that listens on a port of this machine; empty when the port is free."""
    if is_free(port):
        return ""
    for connection in psutil.net_connections(kind="tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,):
            return f"pid {connection.pid}" if connection.pid else "another user's process"
    return "another user's process"


def is_free(port: int) -> bool:
    """Check whether no process listens on this loopback port."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier service that are still fading do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
