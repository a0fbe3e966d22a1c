"""No request body is read beyond its limit, declared or not."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from faces.contract import API
from faces.errors import PictureTooLarge
from faces.pictures import MAX_BYTES
from host.errors import face_error_response

UPLOAD_PATH = f"{API}/assets"
MAX_JSON_BYTES = 1024 * 1024
MAX_UPLOAD_BYTES = MAX_BYTES + 64 * 1024
"""A picture and the framing of a multipart body."""


class BodyLimits:
    """ASGI middleware that refuses a body which is too large with 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = MAX_UPLOAD_BYTES if scope["path"] == UPLOAD_PATH else MAX_JSON_BYTES
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared) > limit:
            answer = face_error_response(PictureTooLarge(_sentence(limit)))
            await answer(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)


def _sentence(limit: int) -> str:
    return f"The body has more than the {limit:,} bytes that this path takes."


def _counted(receive: Receive, limit: int) -> Receive:
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            # The one exception that passes through the reading of a body unchanged.
            raise HTTPException(PictureTooLarge.status, _sentence(limit).removesuffix("."))
        return message

    return counted
