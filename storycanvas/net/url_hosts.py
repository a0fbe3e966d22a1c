"""Which servers a picture may be fetched from, and at which of their addresses."""

import ipaddress
from typing import NamedTuple

import httpx

from storycanvas.net.addresses import IpAddress, Reach, reach_of

DEFAULT_PORTS = {"http": 80, "https": 443}


class UrlHost(NamedTuple):
    """A server that the operator allows.

    Attributes:
        name: Host name or address in lower case, as it goes over the wire.
        port: The only port allowed; None stands for the default port of the URL's scheme.
    """

    name: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "UrlHost":
        """Read `HOST` or `HOST:PORT`, an IPv6 address in brackets.

        Raises:
            ValueError: The text is anything but a host and a port, a whole URL for example.
        """
        try:
            # Without its default port the scheme leaves every other port visible, 80 included.
            url = httpx.URL(f"https+host://{text}")
        except httpx.InvalidURL as error:
            raise ValueError(f"{text} is not HOST or HOST:PORT ({error})") from error
        if not url.host or url.userinfo or url.raw_path not in {b"", b"/"} or url.fragment:
            raise ValueError(f"{text} is not HOST or HOST:PORT")
        return cls(url.raw_host.decode(), url.port)

    def allows(self, url: httpx.URL) -> bool:
        """Check whether a URL leads to this server."""
        default = DEFAULT_PORTS.get(url.scheme)
        wanted = default if self.port is None else self.port
        return (
            default is not None
            and url.raw_host.decode() == self.name
            and (url.port or default) == wanted
        )

    def allows_address(self, address: IpAddress, *, allow_private: bool) -> bool:
        """Check whether a picture may be fetched from an address that the name resolved to.

        A rule with an address, or `localhost`, allows that very address. Any other name
        can be made to lead anywhere by the owner of its DNS zone.

        Args:
            address: Where a connection would go.
            allow_private: Whether names may lead into private networks and to this machine.
        """
        if self.name == "localhost":
            return address.is_loopback
        try:
            return address == ipaddress.ip_address(self.name)
        except ValueError:
            reach = reach_of(address)
        return reach is Reach.PUBLIC or (allow_private and reach is Reach.PRIVATE)


def parse_url_host(text: object) -> object:
    """Read a text by `UrlHost.parse`; anything else, such as a `UrlHost`, is passed on."""
    return UrlHost.parse(text) if isinstance(text, str) else text
