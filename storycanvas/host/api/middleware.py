"""Checks before every request: who may call, and bounds on the bytes and time of its body."""

import asyncio
import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storycanvas.faces.contract import API
from storycanvas.faces.errors import (
    BadField,
    FaceError,
    OperationTimedOut,
    PictureTooLarge,
    TokenRefused,
)
from storycanvas.faces.pictures.reading import MAX_FILE_BYTES
from storycanvas.host.api.errors import RefusedBody, face_error_response
from storycanvas.host.log import REPEATS
from storycanvas.host.page.passes import BASIC, PagePasses, credentials
from storycanvas.host.page.routes import PAGE_PATHS
from storycanvas.host.settings import is_loopback
from storycanvas.host.tokens import CALLER, Caller, Tokens

_log = logging.getLogger(__name__)

OPEN_PATHS = {f"{API}/status"}


_TWO_LENGTHS = "Content-Length and Transfer-Encoding came together; send one of them."


def _refused(error: FaceError) -> Response:
    _log.info("refused: %s", error.code, extra={REPEATS: True})  # not the path, a stranger's text
    return face_error_response(error)


class Gate:
    """ASGI middleware that lets in callers with a token; `OPEN_PATHS` are open to all.

    The name of the token is `scope["caller"]`, and stands in the log. The operator's page also
    takes it as the password of HTTP Basic. A browser adds that by itself to each request, also to
    those that another site makes it send, so nothing else takes it.

    A host without a token listens on loopback only. A web page could still make the user's own
    browser call it, so it refuses names and origins of other machines.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens, passes: PagePasses) -> None:
        self._app = app
        self._tokens = tokens
        self._passes = passes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 401, or with 400 if its length is told twice."""
        if scope["type"] == "http" and _has_two_lengths(scope):
            answer = _refused(BadField(_TWO_LENGTHS))
            answer.headers["Connection"] = "close"  # where the next request begins is not known
            await answer(scope, receive, send)
            return
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        caller = self._caller(scope)
        if caller is None:
            await self._refusal(scope)(scope, receive, send)
            return
        scope[ADMITTED] = True
        CALLER.set(caller)  # for this request's own task, and those that it starts
        await self._app({**scope, "caller": caller.name}, receive, send)

    def _caller(self, scope: Scope) -> Caller | None:
        headers = Headers(scope=scope)
        if not self._tokens.needed:
            local = _is_local(f"//{headers.get('host', '')}") and (
                "origin" not in headers or _is_local(headers["origin"])
            )
            return Caller() if local else None
        scheme, given = credentials(headers)
        caller = self._tokens.caller(given)
        if scheme == "bearer":
            return caller or self._passes.caller(given)
        return caller if scheme == "basic" and scope["path"] in PAGE_PATHS else None

    def _refusal(self, scope: Scope) -> Response:
        if not self._tokens.needed:
            reason = "This host has no token, so it serves callers on its own machine only."
            return _refused(TokenRefused(reason))
        if scope["path"] not in PAGE_PATHS:
            reason = "Send this host's token in the header Authorization: Bearer <token>."
            return _refused(TokenRefused(reason))
        reason = "Give this host's token as the password, with any user name."
        answer = _refused(TokenRefused(reason))
        answer.headers["WWW-Authenticate"] = BASIC  # lets a browser ask for it
        return answer


def _is_local(address: str) -> bool:
    try:
        return is_loopback(urlsplit(address).hostname or "")
    except ValueError:
        return False


def _has_two_lengths(scope: Scope) -> bool:
    """Check for what proxies and servers understand in different ways (RFC 9112, 6.3)."""
    names = {name for name, _ in scope["headers"]}
    return {b"content-length", b"transfer-encoding"} <= names


ADMITTED = "storycanvas.admitted"
"""Key of a request's scope once its caller has shown a token that is known."""
UPLOAD_PATH = f"{API}/assets"
MAX_JSON_BYTES = 1024 * 1024
MAX_UPLOAD_BYTES = MAX_FILE_BYTES + 64 * 1024
"""A picture and the framing of a multipart body."""
BODY_SECONDS = 300.0
"""Enough for 30 MB at 1 Mbit/s, and for the largest picture at 7; a caller that stalls holds a
connection no longer."""
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
            await _refused(_too_large(limit))(scope, receive, send)
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
