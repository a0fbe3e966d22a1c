"""Opening the address that a host listens on, and naming what is in its way."""

import errno
import os
import socket

import psutil

from storycanvas.host.settings import HostSettings

_BACKLOG = 1024
ACCEPTED_AT_ONCE = 8
"""Connections that are taken before the one that is idle longest is closed for them."""
_REMEDIES = {
    errno.EADDRINUSE: "end that program, or name another --port",
    errno.EADDRNOTAVAIL: "name an address of this machine as --host",
    errno.EACCES: "name a --port of 1024 or more",
}


def listen(settings: HostSettings) -> socket.socket:
    """Open the socket; with port 0 the system chooses the port.

    Raises:
        OSError: It cannot be used; the message names the address, the reason and the remedy.
    """
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Where the protocol is named asyncio sends small answers at once; else each waits 40 ms.
    listener = _Listener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _named(error, host, port) from error
    return listener


class _Listener(socket.socket):
    """Keeps its own queue of connections that wait to be taken.

    asyncio has one number for that queue and for how many it takes at once. Where as many come as
    files may be open, it would take them all, run out of files and pause for a second.
    """

    def listen(self, backlog: int = _BACKLOG, /) -> None:
        """Listen with the longer queue."""
        super().listen(max(backlog, _BACKLOG))


def program_listening_on(port: int) -> str:
    """Name the program that listens on a port, as far as this user may see it; else ''."""
    try:
        owners = {
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
            and connection.laddr
            and connection.laddr.port == port
        }
        pid = next(iter(owners - {None}), None)
        return "" if pid is None else f"{psutil.Process(pid).name()} (process {pid})"
    except (psutil.Error, OSError):  # another user's, or it has just ended
        return ""


def address_of(settings: HostSettings, port: int) -> str:
    """Write the address as a URL."""
    name = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{settings.scheme}://{name}:{port}"


def _named(error: OSError, host: str, port: int) -> OSError:
    number = error.errno or errno.EINVAL
    reason = (error.strerror or str(error)).lower()
    program = program_listening_on(port) if number == errno.EADDRINUSE else ""
    by = f" by {program}" if program else ""
    remedy = _REMEDIES.get(number, "name another --host or --port")
    return ListeningRefused(number, f"{host} port {port}: {reason}{by}; {remedy}")


class ListeningRefused(OSError):
    """The address cannot be listened on."""

    def __str__(self) -> str:
        """Say it without the number."""
        return str(self.strerror)
