"""How an error leaves the host: always `{"error": {"code", "message", "retryable"}}`."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from storycanvas.faces.contract import ErrorAnswer, ErrorDetail
from storycanvas.faces.errors import (
    BadField,
    ContentRejected,
    EngineFailed,
    FaceError,
    HostFull,
    HostNotReady,
    IdempotencyKeyReused,
    NoFace,
    NotAPicture,
    OperationCancelled,
    OperationNotFound,
    OperationTimedOut,
    OperationUnsupported,
    OutOfRange,
    PictureNotFound,
    PictureTooLarge,
    PictureUnreachable,
    TokenRefused,
)

_log = logging.getLogger(__name__)

SERVER_ERROR = 500
_MAX_QUOTE_LENGTH = 80
_RANGE_ERRORS = {
    "greater_than",
    "greater_than_equal",
    "less_than",
    "less_than_equal",
    "multiple_of",
    "too_long",
    "too_short",
    "string_too_long",
    "string_too_short",
}
_HTTP_CODES = {
    400: BadField.code,
    401: TokenRefused.code,
    404: "not_found",
    405: "method_not_allowed",
    413: PictureTooLarge.code,
}
_MEANINGS: dict[int, tuple[str, set[type[FaceError]]]] = {
    400: ("A field or a header is missing, unknown, or not of its form.", {BadField}),
    401: ("The token is missing or wrong.", {TokenRefused}),
    404: (
        "A picture's name, or an operation's id, leads nowhere.",
        {PictureNotFound, OperationNotFound},
    ),
    409: ("The operation was cancelled while this request waited for it.", {OperationCancelled}),
    413: ("Too many bytes or pixels.", {PictureTooLarge}),
    415: ("Not a picture that can be read.", {NotAPicture}),
    422: (
        (
            "A picture without a face or one that the engine refuses, a parameter out of its "
            "range, an operation the engine cannot do, or a key that came with another request."
        ),
        {NoFace, ContentRejected, OutOfRange, OperationUnsupported, IdempotencyKeyReused},
    ),
    429: ("The queue is full.", {HostFull}),
    500: ("The engine broke down.", {EngineFailed}),
    503: (
        "The host cannot work now, or a picture's server does not answer.",
        {HostNotReady, PictureUnreachable},
    ),
    504: ("The engine, or the body on its way, took too long.", {OperationTimedOut}),
}


def described(status: int) -> str:
    """Describe an error's status and the codes that come with it."""
    meaning, errors = _MEANINGS[status]
    codes = ", ".join(sorted(f"`{error.code}`" for error in errors))
    return f"{codes}: {meaning}"


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": described(status)} for status in _MEANINGS
}


class RefusedBody(HTTPException):
    """A face error that stops the reading of a body; FastAPI would wrap other exceptions."""

    def __init__(self, error: FaceError) -> None:
        super().__init__(error.status, str(error))
        self.error = error


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Pick the errors that a route's documentation lists."""
    return {status: DOCUMENTED[status] for status in statuses}


def error_response(
    status: int, detail: ErrorDetail, headers: Mapping[str, str] | None = None
) -> Response:
    """Build the answer of an error."""
    # A value quoted from a request may hold half of a surrogate pair, which UTF-8 cannot encode.
    message = detail.message.encode("utf-8", "backslashreplace").decode()
    answer = ErrorAnswer(error=detail.model_copy(update={"message": message}))
    return Response(answer.model_dump_json(), status, headers, media_type="application/json")


def face_error_response(error: FaceError) -> Response:
    """Build the answer of an error that has a class of its own."""
    headers = {}
    if isinstance(error, TokenRefused):
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    detail = ErrorDetail(code=error.code, message=str(error), retryable=error.retryable)
    return error_response(error.status, detail, headers)


def install_error_answers(app: FastAPI) -> None:
    """Make every error of an application leave in the contract's form."""
    app.add_exception_handler(FaceError, _on_face_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_unexpected)


async def _on_face_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, FaceError)  # noqa: S101 - registered for this class
    path = request.scope["path"]  # a URL would be made with the header Host, whatever that is
    if error.status >= SERVER_ERROR:
        _log.error("%r: %s: %s", path, error.code, error)
    else:
        _log.info("%r: %s", path, error.code)
    return face_error_response(error)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    return await _on_face_error(request, invalid_request(error.errors()))


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    if isinstance(error, RefusedBody):
        return await _on_face_error(request, error.error)
    code = _HTTP_CODES.get(error.status_code, "http_error")
    detail = ErrorDetail(code=code, message=f"{error.detail}.", retryable=False)
    return error_response(error.status_code, detail, error.headers)


async def _on_disconnect(request: Request, _: Exception) -> Response:
    return await _on_face_error(request, BadField("The connection ended before the body did."))


async def _on_unexpected(_: Request, __: Exception) -> Response:
    """Answer without logging: Starlette raises the error again, and the server logs it."""
    return face_error_response(EngineFailed("The host failed unexpectedly; its log has the cause."))


def invalid_request(errors: Sequence[Mapping[str, Any]]) -> FaceError:
    """Turn pydantic's errors into a `BadField`, or `OutOfRange` if all are out of range."""
    malformed = [error for error in errors if error["type"] not in _RANGE_ERRORS]
    if malformed:
        return BadField(_sentence(malformed[0]))
    return OutOfRange(_sentence(errors[0]))


def _sentence(error: Mapping[str, Any]) -> str:
    field = _shorten(".".join(str(part) for part in error["loc"][1:]))
    reason = str(error.get("ctx", {}).get("error", error["msg"]))
    match error["type"]:
        case "json_invalid":
            return f"The body is not JSON: {reason}."
        case "missing" if field:
            return f"{field} is missing."
        case "extra_forbidden":
            return f"{field} is not a field of this operation."
        case "value_error" if not field:
            return f"{reason}."
    if not field:
        return "The body must be a JSON object, sent with Content-Type: application/json."
    return f"{field}: {reason[:1].lower()}{reason[1:]}, got {_shorten(repr(error['input']))}."


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_QUOTE_LENGTH else f"{text[:_MAX_QUOTE_LENGTH]}…"
