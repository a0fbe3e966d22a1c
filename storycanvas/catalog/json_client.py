"""Requests to a server that answers in JSON; every failure is one of the catalog's errors."""

import ssl
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Self

import httpx

from storycanvas.catalog.answers import ACCEPTED, check_status, read_body
from storycanvas.catalog.errors import AnswerUnreadable, CatalogRefused, CatalogUnreachable
from storycanvas.catalog.storable import read_json

Parameters = Mapping[str, str | int] | Sequence[tuple[str, str | int]]
"""What comes after the `?` of an address; a sequence may name one key several times."""

_MAX_BYTES = 64 * 1024 * 1024
_PRINTABLE = range(0x20, 0x7F)


class JsonClient:
    """A client of one server; several threads may share it.

    Follows no redirects. No message contains a header, a query or the user part of an address.

    Args:
        base_url: Such as `http://gpu-box:8188`; its user part is sent as Basic authorization
            unless `headers` hold another. Its query, such as `?token=...`, is sent with every
            request to a server that is asked without a proxy.
        headers: Sent with every request, such as `Authorization`.
        proxied: Whether to use the environment's proxy, which is made for the internet: a server in
            the local network is asked without it. A `.netrc` is never read.
        timeout_seconds: Longest wait for a connection and between two parts of an answer.
        max_bytes: Longest answer, unpacked.
        whole_seconds: Longest time for the body of an answer; 12 times `timeout_seconds` if None.

    Raises:
        CatalogRefused: The address is invalid, HTTP cannot carry a header, or the environment's
            proxy cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        proxied: bool = False,
        timeout_seconds: float = 10,
        max_bytes: int = _MAX_BYTES,
        whole_seconds: float | None = None,
    ) -> None:
        url = checked_url(base_url)
        self._shown = str(url.copy_with(userinfo=b"")).rstrip("/")
        self._max_bytes = max_bytes
        self._whole_seconds = whole_seconds or 12 * timeout_seconds
        user = (url.username, url.password) if url.userinfo else None
        query = b"" if proxied else httpx.URL(base_url.strip()).query
        self._http = _open_connection(headers or {}, user, timeout_seconds, query, proxied=proxied)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def get(self, path: str, params: Parameters | None = None) -> object:
        """Read the JSON value at a path, with None for NaN and infinities.

        Args:
            path: Begins with `/`; already quoted.
            params: What comes after the `?`.

        Raises:
            CatalogUnreachable: No connection, or no answer in time.
            CatalogBusy: 429 or 5xx.
            CatalogRefused: Another 4xx.
            NotThere: 404.
            AnswerUnreadable: A redirect, not JSON, or too long.
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
        except httpx.TransportError as error:
            reason = type(error).__name__
            raise CatalogUnreachable(
                f"{where} gave no answer ({reason}). Check that the server runs and that the "
                "address is right."
            ) from error
        try:
            return read_json(text)
        except ValueError as error:
            raise AnswerUnreadable(f"The answer of {where} is not JSON.") from error

    def _body(self, request: httpx.Request, where: str) -> bytes:
        response = self._http.send(request, stream=True)
        try:
            check_status(response, where)
            return read_body(
                response, where, max_bytes=self._max_bytes, whole_seconds=self._whole_seconds
            )
        finally:
            response.close()


def checked_url(base_url: str) -> httpx.URL:
    """Parse an address and drop its query.

    Raises:
        CatalogRefused: It is invalid, or not one of HTTP.
    """
    try:
        url = httpx.URL(base_url.strip()).copy_with(query=None, fragment=None)
    except (httpx.InvalidURL, UnicodeError, ValueError):
        # The error's own text would show the address with its user part.
        raise CatalogRefused("This is not an address. Write it as http://host:port.") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise CatalogRefused("The address has no http:// or no host. Write it as http://host:port.")
    return url


class _QueryTransport(httpx.HTTPTransport):
    """Adds the query of an address to each request on its way out.

    httpx logs the address of every request; what is added here, a token mostly, is in no log.
    """

    def __init__(self, query: bytes) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        self._query = query

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        own = request.url.query
        url = request.url.copy_with(query=b"&".join(filter(None, (own, self._query))))
        return super().handle_request(
            httpx.Request(
                request.method,
                url,
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        )


def _open_connection(
    headers: Mapping[str, str],
    user: tuple[str, str] | None,
    seconds: float,
    query: bytes,
    *,
    proxied: bool,
) -> httpx.Client:
    """Open a connection that follows no redirects and reads no `.netrc`."""
    _check_headers(headers)
    sent = httpx.Headers({**headers, "Accept-Encoding": ACCEPTED})
    try:
        return httpx.Client(
            headers=sent,
            auth=None if "Authorization" in sent else user,
            timeout=seconds,
            follow_redirects=False,
            trust_env=proxied,
            verify=_tls(),
            transport=_QueryTransport(query) if query else None,
        )
    except (httpx.InvalidURL, ImportError, ValueError):
        # The error's own text would show the proxy's address with its user part.
        raise CatalogRefused(
            "The proxy that the environment names cannot be used. Write HTTP_PROXY and HTTPS_PROXY "
            "as http://host:port."
        ) from None


@cache
def _tls() -> ssl.SSLContext:
    """Read the certificates once; that takes longer than most answers."""
    return httpx.create_ssl_context()


def _check_headers(headers: Mapping[str, str]) -> None:
    # httpx's own error would show the whole value.
    for name, value in headers.items():
        if any(ord(character) not in _PRINTABLE for character in value):
            raise CatalogRefused(
                f"The header {name} holds a character that HTTP cannot carry. Copy the key again, "
                "without spaces or line breaks."
            )
