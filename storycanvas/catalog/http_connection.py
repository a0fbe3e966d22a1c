"""A connection to a server, which takes from the environment no more than it should."""

import ssl
from collections.abc import Mapping
from functools import cache

import httpx

from storycanvas.catalog.answers import ACCEPTED
from storycanvas.catalog.errors import CatalogRefused

_PRINTABLE = range(0x20, 0x7F)


def open_connection(
    headers: Mapping[str, str], user: tuple[str, str] | None, seconds: float, *, proxied: bool
) -> httpx.Client:
    """Open a connection that follows no redirects and reads no `.netrc`.

    Args:
        headers: Sent with every request.
        user: Name and password, sent as Basic authorization unless the headers hold another.
        seconds: How long to wait for a connection and between two parts of an answer.
        proxied: Whether a proxy that the environment names is used.

    Raises:
        CatalogRefused: A header holds what HTTP cannot carry, or the proxy cannot be used.
    """
    _check(headers)
    sent = httpx.Headers({**headers, "Accept-Encoding": ACCEPTED})
    try:
        return httpx.Client(
            headers=sent,
            auth=None if "Authorization" in sent else user,
            timeout=seconds,
            follow_redirects=False,
            trust_env=proxied,
            verify=_tls(),
        )
    except (httpx.InvalidURL, ImportError, ValueError):
        # The error's own text would tell the proxy's address with its user part.
        raise CatalogRefused(
            "The proxy that the environment names cannot be used. Write HTTP_PROXY and HTTPS_PROXY "
            "as http://host:port."
        ) from None


@cache
def _tls() -> ssl.SSLContext:
    """Read the certificates once; that takes longer than most answers."""
    return httpx.create_ssl_context()


def _check(headers: Mapping[str, str]) -> None:
    # httpx would tell the whole value in its own error.
    for name, value in headers.items():
        if any(ord(letter) not in _PRINTABLE for letter in value):
            raise CatalogRefused(
                f"The header {name} holds a letter that HTTP cannot carry. Copy the key again, "
                "without spaces or line breaks."
            )
