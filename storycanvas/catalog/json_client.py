"""Questions to a server that answers in JSON, with every way it can fail in the catalog's words."""

from collections.abc import Mapping, Sequence
from typing import Self

import httpx

from storycanvas.catalog.answers import check_status, read_body
from storycanvas.catalog.errors import AnswerUnreadable, CatalogRefused, CatalogUnreachable
from storycanvas.catalog.http_connection import open_connection
from storycanvas.catalog.json_text import read_json

Parameters = Mapping[str, str | int] | Sequence[tuple[str, str | int]]
"""What comes after the `?` of an address; a sequence may name one key several times."""

_MAX_BYTES = 64 * 1024 * 1024


class JsonClient:
    """Asks one server; several threads may share it.

    Follows no redirects. No message tells a header, a query or the user part of an address.

    Args:
        base_url: Such as `http://gpu-box:8188`; its user part is sent as Basic authorization
            unless `headers` hold another, its query is left out.
        headers: Sent with every request, such as `Authorization`.
        proxied: Whether a proxy that the environment names is used. It is made for the internet:
            a server in the local network is asked without it. A `.netrc` is never read.
        timeout_seconds: How long to wait for a connection and between two parts of an answer.
        max_bytes: How long an answer may be, unpacked.
        whole_seconds: How long the body of an answer may take; 12 times `timeout_seconds` if None.

    Raises:
        CatalogRefused: The address is none, a header holds what HTTP cannot carry, or the
            environment's proxy cannot be used.
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
        self._http = open_connection(headers or {}, user, timeout_seconds, proxied=proxied)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
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
            return read_body(
                response, where, max_bytes=self._max_bytes, whole_seconds=self._whole_seconds
            )
        finally:
            response.close()


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
