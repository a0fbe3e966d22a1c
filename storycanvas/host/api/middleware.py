"""Checks before every request: who may call, and bounds on the bytes and time of its body."""

import asyncio
import hmac
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storycanvas.faces.contract import API
from storycanvas.faces.errors import OperationTimedOut, PictureTooLarge, TokenRefused
from storycanvas.faces.pictures.reading import MAX_BYTES
from storycanvas.host.api.errors import RefusedBody, face_error_response
from storycanvas.host.settings import is_loopback

OPEN_PATHS = {f"{API}/status"}


class Gate:
    """ASGI middleware that lets in callers with the token; `OPEN_PATHS` are open to all.

    A host without a token listens on loopback only. A web page could still make the user's own
    browser call it, so it refuses names and origins of other machines.
    """

    def __init__(self, app: ASGIApp, token: SecretStr | None) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 401."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or self._admits(scope):
            await self._app(scope, receive, send)
            return
        await face_error_response(TokenRefused(self._reason()))(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if self._token is None:
            return _is_local(f"//{headers.get('host', '')}") and (
                "origin" not in headers or _is_local(headers["origin"])
            )
        scheme, _, given = headers.get("authorization", "").partition(" ")
        token = self._token.get_secret_value().encode()
        same = hmac.compare_digest(given.strip().encode("latin-1", "replace"), token)
        return same and scheme.lower() == "bearer"

    def _reason(self) -> str:
        if self._token is None:
            return "This host has no token, so it serves callers on its own machine only."
        return "Send this host's token in the header Authorization: Bearer <token>."


def _is_local(address: str) -> bool:
    try:
        return is_loopback(urlsplit(address).hostname or "")
    except ValueError:
        return False


UPLOAD_PATH = f"{API}/assets"
MAX_JSON_BYTES = 1024 * 1024
MAX_UPLOAD_BYTES = MAX_BYTES + 64 * 1024
"""A picture and the framing of a multipart body."""
BODY_SECONDS = 300.0
"""Enough for the largest picture at 1 Mbit/s; a caller that stalls holds a connection no longer."""
_DIGITS = 15
"""Of a length that is worth reading; Python refuses to read numbers of thousands of digits."""


class BodyLimits:
    """ASGI middleware that refuses a body which is too large with 413, or too slow with 504.

    A whole body has `seconds` to arrive, counted from the first read.
    """

    def __init__(self, app: ASGIApp, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = MAX_UPLOAD_BYTES if scope["path"] == UPLOAD_PATH else MAX_JSON_BYTES
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and (len(declared) > _DIGITS or int(declared) > limit):
            await face_error_response(_too_large(limit))(scope, receive, send)
            return
        await self._app(scope, _BoundedBody(receive, limit, self._seconds), send)


class _BoundedBody:
    """Receives a body up to its last message, and whatever comes after that."""

    def __init__(self, receive: Receive, limit: int, seconds: float) -> None:
        self._receive = receive
        self._limit = limit
        self._seconds = seconds
        self._size = 0
        self._deadline: float | None = None
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()
        message = await self._in_time()
        self._size += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._size > self._limit:
            raise RefusedBody(_too_large(self._limit))
        return message

    async def _in_time(self) -> Message:
        now = asyncio.get_running_loop().time()
        if self._deadline is None:
            self._deadline = now + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._receive()
        except TimeoutError as error:
            raise RefusedBody(
                OperationTimedOut(f"The body did not arrive within {self._seconds:g} s.")
            ) from error


def _too_large(limit: int) -> PictureTooLarge:
    return PictureTooLarge(f"The body has more than the {limit:,} bytes that this path takes.")
