"""Fetching a picture from a server that the operator allows, and from no other."""

import asyncio
import contextlib
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

import httpx

from storycanvas.faces.errors import (
    BadField,
    FaceError,
    PictureNotFound,
    PictureUnreachable,
)
from storycanvas.faces.pictures.reading import GrowingFile
from storycanvas.host.storage.disk import refused_when_unwritable
from storycanvas.net.addresses import IpAddress, Lookup, look_up
from storycanvas.net.atomic_files import PART_SUFFIX
from storycanvas.net.pinned_requests import pinned_request
from storycanvas.net.url_hosts import UrlHost

_GONE = {404, 410}
_LATER = {408, 425, 429}
_CONNECT_SECONDS = 5.0
_IN_MEMORY_BYTES = 256 * 1024


class PictureDownloads:
    """Downloads pictures: no redirects, no proxies, bounded in bytes and in time.

    A redirect is refused, not followed: every further server would have to be trusted, too.
    """

    def __init__(
        self,
        hosts: Sequence[UrlHost],
        seconds: float,
        *,
        allow_private: bool = False,
        folder: Path | None = None,
        lookup: Lookup = look_up,
        certificates: ssl.SSLContext | None = None,
    ) -> None:
        """Decide from where pictures may come.

        Args:
            hosts: The only servers.
            seconds: Longest time for one picture, from the look-up of its server's name on.
            allow_private: Whether a server's name may lead into a private network.
            folder: Where pictures lie until their turn to be decoded, without a name; None takes
                the system's, which may be in memory.
            lookup: Gives the addresses of a name.
            certificates: For https; None takes the authorities of certifi.
        """
        self._hosts = tuple(hosts)
        self._seconds = seconds
        self._allow_private = allow_private
        self._folder = folder
        self._lookup = lookup
        self._certificates = certificates or httpx.create_ssl_context(trust_env=False)

    async def fetch(self, field: str, value: str) -> IO[bytes]:
        """Fetch the file of the picture at an http(s) URL; `field` is for messages.

        Returns:
            The file, which is gone once the caller closes it.

        Raises:
            BadField: The URL is not allowed, or its server redirects or refuses.
            PictureNotFound: The server has no such picture.
            PictureTooLarge: It is larger than a picture may be.
            PictureUnreachable: The server does not answer, or not now.
            HostNotReady: There is no room for it.
        """
        url, host = self._allowed_url(field, value)
        try:
            async with asyncio.timeout(self._seconds):
                addresses = await self._allowed_addresses(field, url, host)
                return await self._download(field, url, addresses)
        except (httpx.HTTPError, OSError) as error:  # TimeoutError is an OSError
            raise PictureUnreachable(
                f"{field}: {url.host} did not deliver the picture ({type(error).__name__})."
            ) from error

    def _allowed_url(self, field: str, value: str) -> tuple[httpx.URL, UrlHost]:
        try:
            url = httpx.URL(value)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise BadField(f"{field} is not a URL ({error}).") from error
        host = next((host for host in self._hosts if host.allows(url)), None)
        if url.userinfo or host is None:
            raise BadField(
                f"{field} names a server that this host does not fetch from; upload the picture, "
                "or let the operator allow the server."
            )
        return url, host

    async def _allowed_addresses(
        self, field: str, url: httpx.URL, host: UrlHost
    ) -> list[IpAddress]:
        """Look a name up once; one bad address is enough to distrust it altogether."""
        addresses = await self._lookup(host.name)
        if all(host.allows_address(it, allow_private=self._allow_private) for it in addresses):
            return addresses
        raise BadField(
            f"{field}: {url.host} leads to an address that is not public; upload the picture, or "
            "let the operator allow the address itself or private addresses."
        )

    async def _download(
        self, field: str, url: httpx.URL, addresses: Sequence[IpAddress]
    ) -> IO[bytes]:
        *others, last = addresses
        for address in others:
            try:
                return await self._download_from(field, url, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._download_from(field, url, last)

    async def _download_from(self, field: str, url: httpx.URL, address: IpAddress) -> IO[bytes]:
        # A transport of its own for each picture: nothing is kept, and nothing is followed.
        async with httpx.AsyncHTTPTransport(self._certificates, trust_env=False) as transport:
            response = await transport.handle_async_request(self._request(url, address))
            try:
                if response.status_code != httpx.codes.OK:
                    raise _refusal(field, url, response.status_code)
                return await self._body(field, response)
            finally:
                await response.aclose()

    async def _body(self, field: str, response: httpx.Response) -> IO[bytes]:
        """Collect a body outside of the memory: up to its turn each place in the queue has some."""
        folder = self._folder or Path(tempfile.gettempdir())
        with contextlib.ExitStack() as closing:
            file = cast(
                "IO[bytes]",
                closing.enter_context(
                    tempfile.SpooledTemporaryFile(
                        _IN_MEMORY_BYTES, dir=str(folder), suffix=PART_SUFFIX
                    )
                ),
            )
            growing = GrowingFile(file, field)
            async for piece in response.aiter_raw():
                with refused_when_unwritable(folder):
                    growing.write(piece)
            file.seek(0)
            closing.pop_all()
            return file

    def _request(self, url: httpx.URL, address: IpAddress) -> httpx.Request:
        timeout = httpx.Timeout(self._seconds, connect=min(self._seconds, _CONNECT_SECONDS))
        return pinned_request(url, address, timeout, accept="image/*")


def _refusal(field: str, url: httpx.URL, status: int) -> FaceError:
    if status in _GONE:
        return PictureNotFound(f"{field}: {url.host} has no such picture.")
    if status in _LATER or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return PictureUnreachable(f"{field}: {url.host} answers {status} now.")
    return BadField(
        f"{field}: {url.host} answers {status}; give the picture's final, open address."
    )
