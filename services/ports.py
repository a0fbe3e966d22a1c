"""Which loopback port a service gets."""

import socket
from collections.abc import Iterable

LOOPBACK = "127.0.0.1"


def choose_port(wishes: Iterable[int | None]) -> int:
    """Take the first wished port that is free, else any free one.

    Args:
        wishes: Ports in order of preference; None is no wish.

    Returns:
        A port that nobody listens on.
    """
    for port in wishes:
        if port and is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Tell whether a service could listen on this loopback port.

    Args:
        port: The port.

    Returns:
        True when nobody listens there.
    """
    with socket.socket() as probe:
        # As servers do: connections of an earlier service that are still fading do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
