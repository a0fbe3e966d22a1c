"""Fetching a picture from a server that the operator allows, and from no other."""

import asyncio
from collections.abc import Sequence

import httpx

from faces.errors import BadField, FaceError, PictureNotFound, PictureTooLarge, PictureUnreachable
from faces.pictures import MAX_BYTES
from host.url_hosts import UrlHost

_GONE = {404, 410}
_LATER = {408, 425, 429}


class PictureDownloads:
    """Downloads pictures: no redirects, no proxies, bounded in bytes and in time."""

    def __init__(self, hosts: Sequence[UrlHost], seconds: float) -> None:
        self._hosts = tuple(hosts)
        self._seconds = seconds
        self._certificates = httpx.create_ssl_context(trust_env=False)

    async def fetch(self, field: str, value: str) -> bytes:
        """Fetch a picture's bytes.

        Args:
            field: The field that named it, for messages.
            value: An http(s) URL.

        Raises:
            BadField: The URL is not allowed, or its server redirects or refuses.
            PictureNotFound: The server has no such picture.
            PictureTooLarge: It is larger than a picture may be.
            PictureUnreachable: The server does not answer, or not now.
        """
        url = self._allowed_url(field, value)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._download(field, url)
        except (httpx.HTTPError, TimeoutError) as error:
            raise PictureUnreachable(
                f"{field}: {url.host} did not deliver the picture ({type(error).__name__})."
            ) from error

    def _allowed_url(self, field: str, value: str) -> httpx.URL:
        try:
            url = httpx.URL(value)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise BadField(f"{field} is not a URL ({error}).") from error
        if url.userinfo or not any(host.allows(url) for host in self._hosts):
            raise BadField(
                f"{field} names a server that this host does not fetch from; upload the picture, "
                "or let the operator allow the server."
            )
        return url

    async def _download(self, field: str, url: httpx.URL) -> bytes:
        data = bytearray()
        async with self._client() as client, client.stream("GET", url) as response:
            if response.status_code != httpx.codes.OK:
                raise _refusal(field, url, response.status_code)
            async for chunk in response.aiter_raw():
                data += chunk
                if len(data) > MAX_BYTES:
                    raise PictureTooLarge(f"{field} has more than {MAX_BYTES:,} bytes.")
        return bytes(data)

    def _client(self) -> httpx.AsyncClient:
        """Make a client of its own for each picture, so that no cookie stays."""
        # A compressed answer could grow without bound.
        headers = {"Accept-Encoding": "identity"}
        return httpx.AsyncClient(verify=self._certificates, trust_env=False, headers=headers)


def _refusal(field: str, url: httpx.URL, status: int) -> FaceError:
    if status in _GONE:
        return PictureNotFound(f"{field}: {url.host} has no such picture.")
    if status in _LATER or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return PictureUnreachable(f"{field}: {url.host} answers {status} now.")
    return BadField(
        f"{field}: {url.host} answers {status}; give the picture's final, open address."
    )
