"""Which IP addresses are public, which belong to a private network, and which no server has."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_network

IpAddress = IPv4Address | IPv6Address


class Reach(Enum):
    """From where an address can be reached."""

    PUBLIC = "public"
    PRIVATE = "private"
    NOWHERE = "nowhere"


_PRIVATE = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "100.64.0.0/10",  # a provider's own, and virtual private networks
            "127.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::1/128",
            "fc00::/7",
        ),
    )
)
_NOWHERE = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "169.254.0.0/16",  # link-local; a cloud's own data and keys are served here
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",  # multicast, reserved, broadcast
            "2001::/23",  # Teredo and other tunnels
            "2001:db8::/32",
            "2002::/16",  # 6to4, a tunnel to an IPv4 address
            "3fff::/20",
        ),
    )
)
_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")


def reach_of(address: IpAddress) -> Reach:
    """Classify an address.

    The lists are the special-purpose registries of IANA (RFC 6890); what `ipaddress` knows of them
    differs between patch releases of Python 3.11. An IPv4 address inside of an IPv6 address is
    classified as itself, where systems do connect to it (mapped, and NAT64 by RFC 6052).

    Returns:
        `NOWHERE` for link-local, multicast, reserved, unspecified and documentation addresses,
        tunnels, and everything that is in no list.
    """
    inner = _inner(address)
    if any(inner in network for network in _PRIVATE):
        return Reach.PRIVATE
    if any(inner in network for network in _NOWHERE):
        return Reach.NOWHERE
    if isinstance(inner, IPv6Address) and inner not in _GLOBAL_UNICAST:
        return Reach.NOWHERE
    return Reach.PUBLIC


def is_link_local(address: IpAddress) -> bool:
    """Tell the addresses where clouds serve their machines' credentials, by any spelling."""
    return _inner(address).is_link_local


def _inner(address: IpAddress) -> IpAddress:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(address.packed[-4:])
    return address


Lookup = Callable[[str], Awaitable[list[IpAddress]]]
"""Gives the addresses of a name, best first; raises OSError if it has none."""


def addresses_of(name: str) -> list[IpAddress]:
    """Ask the system for all addresses of a name, each once, in the order it would try them.

    Raises:
        OSError: The name has no address, or no server answers.
        UnicodeError: No server can have that name.
    """
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0])) for entry in found))


async def look_up(name: str) -> list[IpAddress]:
    """Do the same as `addresses_of` without blocking; `OSError` whatever is wrong."""
    try:
        return await asyncio.to_thread(addresses_of, name)
    except UnicodeError as error:  # a label that no name can have
        raise OSError(f"{name} is not the name of a server") from error
