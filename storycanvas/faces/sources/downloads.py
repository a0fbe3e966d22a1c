"""Downloading a picture from the very address that was judged, at every redirect anew."""

import io
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urljoin

import httpx

from storycanvas.faces.errors import PictureNotFound, PictureUnreachable
from storycanvas.faces.pictures.reading import GrowingFile
from storycanvas.faces.sources.trust import AddressCheck, shown
from storycanvas.net.addresses import IpAddress, addresses_of
from storycanvas.net.pinned_requests import pinned_request

_REDIRECTS = 3
_TIMEOUT = httpx.Timeout(30.0, connect=3.5)
"""Two tries at an address that does not answer, and the wait between them, take less than 10 s."""
_LAST_PORT = 65535
_LATER = {408, 425, 429, 500, 502, 503, 504}


def download(
    url: str,
    judge: Callable[[httpx.URL], AddressCheck],
    *,
    lookup: Callable[[str], list[IpAddress]] = addresses_of,
    certificates: ssl.SSLContext | None = None,
) -> bytes:
    """Fetch a picture's file; redirects are followed by hand, since each may lead anywhere.

    Args:
        url: An http(s) URL.
        judge: Refuses a URL, or gives the check for the addresses of its server.
        lookup: Gives the addresses of a name; it is asked once for each request.
        certificates: For https; None takes the authorities of certifi.

    Raises:
        PictureNotFound: There is none, or what leads there is no http(s) URL.
        PictureUnreachable: A server does not answer now.
        PictureTooLarge: Too many bytes.
    """
    target = _target(url)
    try:
        for _ in range(_REDIRECTS + 1):
            addresses = _judged_addresses(target, judge, lookup)
            with _answer(target, addresses, certificates) as response:
                if not response.is_redirect:
                    return _body(response, shown(str(target)))
                target = _target(str(target), response.headers.get("location", ""))
    except (httpx.HTTPError, OSError) as error:
        raise PictureUnreachable(
            f"The picture {shown(str(target))} cannot be fetched ({type(error).__name__}); "
            "is its server running?"
        ) from error
    raise PictureNotFound(
        f"The picture {shown(str(target))} redirects more than {_REDIRECTS} times."
    )


def _target(url: str, location: str = "") -> httpx.URL:
    try:
        target = httpx.URL(urljoin(url, location))
    except (httpx.InvalidURL, ValueError):  # of the port, or the host's brackets
        raise _no_url(location or url) from None
    usable = target.scheme in {"http", "https"} and target.host
    if not usable or (target.port or 0) > _LAST_PORT:
        raise _no_url(str(target))
    return target


def _no_url(url: str) -> PictureNotFound:
    return PictureNotFound(f"{shown(url)} is not an http(s) URL.")


def _judged_addresses(
    url: httpx.URL,
    judge: Callable[[httpx.URL], AddressCheck],
    lookup: Callable[[str], list[IpAddress]],
) -> list[IpAddress]:
    """Look a name up once; one bad address is enough to distrust it altogether."""
    check = judge(url)
    try:
        addresses = lookup(url.raw_host.decode("ascii"))
    except UnicodeError:  # a label that no name can have
        raise _no_url(str(url)) from None
    check(addresses)
    return addresses


@contextmanager
def _answer(
    url: httpx.URL, addresses: Sequence[IpAddress], certificates: ssl.SSLContext | None
) -> Iterator[httpx.Response]:
    with httpx.Client(verify=certificates or True, trust_env=False) as client:
        response = _send(client, url, addresses)
        try:
            yield response
        finally:
            response.close()


def _send(client: httpx.Client, url: httpx.URL, addresses: Sequence[IpAddress]) -> httpx.Response:
    *others, last = addresses
    for address in others:
        try:
            return client.send(pinned_request(url, address, _TIMEOUT, "*/*"), stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
    return client.send(pinned_request(url, last, _TIMEOUT, "*/*"), stream=True)


def _body(response: httpx.Response, name: str) -> bytes:
    if response.status_code in _LATER:
        raise PictureUnreachable(
            f"The server of {name} answers HTTP {response.status_code}; trying later helps."
        )
    if response.status_code != httpx.codes.OK:
        raise PictureNotFound(f"There is no picture at {name}: HTTP {response.status_code}.")
    buffer = io.BytesIO()
    growing = GrowingFile(buffer, name)
    for piece in response.iter_bytes():
        growing.write(piece)
    return buffer.getvalue()
