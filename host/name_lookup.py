"""The addresses of a server's name."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

from host.address_ranges import IpAddress

Lookup = Callable[[str], Awaitable[list[IpAddress]]]
"""Gives the addresses of a name, best first; raises OSError if it has none."""


async def look_up(name: str) -> list[IpAddress]:
    """Ask the system for all addresses of a name.

    Args:
        name: A host name or an IP address, which is its own address.

    Returns:
        At least one address, each once, in the order in which the system would try them.

    Raises:
        OSError: The name has no address, or nobody answers.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that no name can have
        raise OSError(f"{name} is no name of a server") from error
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0])) for entry in found))
