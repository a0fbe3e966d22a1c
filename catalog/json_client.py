"""Questions to a server that answers in JSON, with every way it can fail in the catalog's words."""

import ssl
import time
from collections.abc import Mapping, Sequence
from functools import cache
from types import TracebackType
from typing import Self

import httpx

from catalog.answer_status import check_status
from catalog.errors import AnswerUnreadable, CatalogRefused, CatalogUnreachable
from catalog.json_text import read_json

Parameters = Mapping[str, str | int] | Sequence[tuple[str, str | int]]
"""What comes after the `?` of an address; a sequence may name one key several times."""

_MOST_BYTES = 64 * 1024 * 1024
_PRINTABLE = range(0x20, 0x7F)


class JsonClient:
    """Asks one server; several threads may share it.

    Follows no redirects. No message tells a header, a query or the user part of an address.

    Args:
        base_url: Such as `http://gpu-box:8188`; its user part is sent as Basic authorization, its
            query is left out.
        headers: Sent with every request, such as `Authorization`.
        timeout_seconds: How long to wait for a connection and between two parts of an answer.
        max_bytes: How long an answer may be, unpacked.
        whole_seconds: How long the body of an answer may take; 12 times `timeout_seconds` if None.

    Raises:
        CatalogRefused: The address is none, or a header holds what HTTP cannot carry.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 10,
        max_bytes: int = _MOST_BYTES,
        whole_seconds: float | None = None,
    ) -> None:
        url = checked_url(base_url)
        self._shown = str(url.copy_with(userinfo=b"")).rstrip("/")
        self._max_bytes = max_bytes
        self._whole_seconds = whole_seconds or 12 * timeout_seconds
        self._http = httpx.Client(
            headers=_checked_headers(headers or {}),
            auth=(url.username, url.password) if url.userinfo else None,
            timeout=timeout_seconds,
            follow_redirects=False,
            verify=_tls(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def get(self, path: str, params: Parameters | None = None) -> object:
        """Read what lies at a path.

        Args:
            path: Begins with `/`; already quoted.
            params: What comes after the `?`.

        Returns:
            The JSON value, with None for NaN and infinities.

        Raises:
            CatalogUnreachable: No connection, or no answer in time.
            CatalogBusy: 429 or 5xx.
            CatalogRefused: Another 4xx.
            NotThere: 404.
            AnswerUnreadable: A redirect, no JSON, or too long.
        """
        return self._ask("GET", path, params=params)

    def post(self, path: str, body: object) -> object:
        """Send a JSON value to a path; returns and raises as `get` does."""
        return self._ask("POST", path, body=body)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        body: object = None,
    ) -> object:
        where = f"{self._shown}{path.partition('?')[0]}"
        pairs = tuple(params.items() if isinstance(params, Mapping) else params or ())
        query = httpx.QueryParams(pairs) if pairs else None  # an empty one would erase the path's
        request = self._http.build_request(method, f"{self._shown}{path}", params=query, json=body)
        try:
            text = self._body(request, where)
        except httpx.DecodingError as error:
            raise AnswerUnreadable(f"The answer of {where} cannot be unpacked.") from error
        except httpx.TransportError as error:
            reason = type(error).__name__
            raise CatalogUnreachable(
                f"{where} gave no answer ({reason}). Check that the server runs and that the "
                "address is right."
            ) from error
        try:
            return read_json(text)
        except ValueError as error:
            raise AnswerUnreadable(f"The answer of {where} is no JSON.") from error

    def _body(self, request: httpx.Request, where: str) -> bytes:
        response = self._http.send(request, stream=True)
        try:
            check_status(response, where)
            return self._bounded(response, where)
        finally:
            response.close()

    def _bounded(self, response: httpx.Response, where: str) -> bytes:
        latest = time.monotonic() + self._whole_seconds
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > self._max_bytes:
                raise AnswerUnreadable(
                    f"The answer of {where} is longer than {self._max_bytes} bytes."
                )
            if time.monotonic() > latest:
                raise CatalogUnreachable(
                    f"{where} did not end its answer within {self._whole_seconds:g} s."
                )
        return bytes(body)


@cache
def _tls() -> ssl.SSLContext:
    """Read the certificates once; that takes longer than most answers."""
    return httpx.create_ssl_context()


def checked_url(base_url: str) -> httpx.URL:
    """Read an address; its query is left out.

    Raises:
        CatalogRefused: It is none, or not one of HTTP.
    """
    try:
        url = httpx.URL(base_url.strip()).copy_with(query=None, fragment=None)
    except (httpx.InvalidURL, UnicodeError, ValueError):
        # The error's own text would tell the address with its user part.
        raise CatalogRefused("This is no address. Write it as http://host:port.") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise CatalogRefused("The address has no http:// or no host. Write it as http://host:port.")
    return url


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    # httpx would tell the whole value in its own error.
    for name, value in headers.items():
        if any(ord(letter) not in _PRINTABLE for letter in value):
            raise CatalogRefused(
                f"The header {name} holds a letter that HTTP cannot carry. Copy the key again, "
                "without spaces or line breaks."
            )
    return dict(headers)
