"""Who names a picture, and where such a name may lead."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from urllib.parse import unquote

import httpx

from storycanvas.faces.errors import PictureNotAllowed, PictureNotFound
from storycanvas.net.addresses import IpAddress, is_link_local
from storycanvas.net.redact import redact_url
from storycanvas.net.url_hosts import UrlHost

UPLOADS = "/uploads/"
"""Where the app serves what was uploaded to it."""

AddressCheck = Callable[[Sequence[IpAddress]], None]
"""Raises if one of the addresses of a server is not to be asked."""

_SHOWN_CHARACTERS = 300


class NamedBy(StrEnum):
    """Who names a picture."""

    PERSON = "person"
    DOCUMENT = "document"


@dataclass(frozen=True)
class Trust:
    """Where the name of a picture may lead.

    A person who starts a run may name what this machine can reach. A document may have been
    written by any user of the app, who is not to read files and servers of this network.

    Attributes:
        hosts: The servers that a document may name; None for a person, who may name any.
    """

    hosts: tuple[UrlHost, ...] | None = None

    @property
    def is_limited(self) -> bool:
        """Whether it is that of a document."""
        return self.hosts is not None

    def check(self, url: httpx.URL, app: str | None) -> AddressCheck:
        """Judge a URL before its server's name is looked up.

        Args:
            url: What a reference or a redirect leads to.
            app: An address of the app, whose uploads anything may name.

        Returns:
            The check of the addresses that the name leads to.

        Raises:
            PictureNotAllowed: A document may not name it.
        """
        if self.hosts is None or _is_upload(url, app):
            return partial(_refuse_link_local, url)
        host = next((host for host in self.hosts if host.allows(url)), None)
        if host is None or url.userinfo:
            raise not_allowed(str(url))
        return partial(_refuse_private, url, host)


ANYWHERE = Trust()
"""What a person names."""


def not_allowed(reference: str) -> PictureNotAllowed:
    """Make the error for what a document may not name."""
    return PictureNotAllowed(
        f"A document's picture leads to {shown(reference)!r}, which is neither in an image store "
        f"(IMAGE_STORE, IMAGE_STORES) nor below {UPLOADS} of the app (IMAGE_BASE_URL) nor on a "
        "server of IMAGE_URL_HOSTS; "
        "upload the picture in the app, or let the operator add its server there."
    )


def shown(reference: str) -> str:
    """Redact an address; a local path stays as it is, since it may hold any character."""
    safe = redact_url(reference) if "://" in reference else reference
    return safe if len(safe) <= _SHOWN_CHARACTERS else f"{safe[:_SHOWN_CHARACTERS]}…"


def _is_upload(url: httpx.URL, app: str | None) -> bool:
    if app is None:
        return False
    base = httpx.URL(app)
    same_server = (url.scheme, url.raw_host, url.port) == (base.scheme, base.raw_host, base.port)
    return same_server and url.path.startswith(UPLOADS) and not _leads_up(url.path)


def _leads_up(path: str) -> bool:
    """Check for a part `..`, which a server may decode more than once."""
    while (decoded := unquote(path)) != path:
        path = decoded
    return ".." in re.split(r"[/\\]", path)


def _refuse_link_local(url: httpx.URL, addresses: Sequence[IpAddress]) -> None:
    """Keep off the addresses where clouds serve their machines' credentials."""
    if any(map(is_link_local, addresses)):
        raise PictureNotFound(f"{shown(str(url))} leads to a link-local address; none is fetched.")


def _refuse_private(url: httpx.URL, host: UrlHost, addresses: Sequence[IpAddress]) -> None:
    _refuse_link_local(url, addresses)
    if not all(host.allows_address(address, allow_private=False) for address in addresses):
        raise PictureNotAllowed(
            f"A document's picture leads to {shown(str(url))!r}, whose server's name leads to an "
            "address that is not public; upload the picture in the app, or let the operator add "
            "the address itself to IMAGE_URL_HOSTS."
        )
