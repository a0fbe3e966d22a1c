"""No request body is read beyond its limit, declared or not, and none is waited for without end."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storycanvas.faces.contract import API
from storycanvas.faces.errors import OperationTimedOut, PictureTooLarge
from storycanvas.faces.pictures.reading import MAX_BYTES
from storycanvas.host.api.errors import RefusedBody, face_error_response

UPLOAD_PATH = f"{API}/assets"
MAX_JSON_BYTES = 1024 * 1024
MAX_UPLOAD_BYTES = MAX_BYTES + 64 * 1024
"""A picture and the framing of a multipart body."""
BODY_SECONDS = 300.0
"""Enough for the largest picture at 1 Mbit/s; a caller that stalls holds a connection no longer."""
_DIGITS = 15
"""Of a length that is worth reading; Python refuses to read numbers of thousands of digits."""


class BodyLimits:
    """ASGI middleware that refuses a body which is too large with 413, or too slow with 504."""

    def __init__(self, app: ASGIApp, seconds: float = BODY_SECONDS) -> None:
        """Decide how long a body may take.

        Args:
            app: What is behind the limits.
            seconds: Time that a whole body has to arrive in, counted from the first look at it.
        """
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
