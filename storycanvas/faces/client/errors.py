"""What a host's refusal means: its error body, its status, and when it wants to be asked again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pydantic import ValidationError

from storycanvas.faces.contract import ErrorAnswer, ErrorDetail
from storycanvas.faces.errors import (
    ContractBroken,
    FaceError,
    HostNotReady,
    HostUnreachable,
    TokenRefused,
    UnknownHostError,
    error_class,
)

MAX_RETRY_AFTER = 3600.0
"""Seconds; a longer wait that a host asks for counts as this."""
_UNAUTHORIZED = 401
_NOT_NOW = {502, 503, 504}
"""What a proxy answers for a host that is restarting; a host itself adds an error body."""


def refusal(status: int, headers: Mapping[str, str], body: bytes, host: str) -> FaceError:
    """Turn an answer that is no success into an error.

    Args:
        status: The HTTP status.
        headers: The answer's headers.
        body: What came; anything but an error body is somebody else's answer.
        host: What messages call the host.

    Returns:
        The error, whose class is retryable exactly if the body says so; without an error body only
        502, 503 and 504 are. Its `retry_after` is what the host asks for.
    """
    if status == _UNAUTHORIZED:
        return TokenRefused(
            f"The face host {host} refuses the token; correct FACEFUSION_TOKEN or the block."
        )
    error = _said(body) or _unsaid(status, host)
    error.retry_after = retry_after(headers, datetime.now(UTC))
    return error


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read for how many seconds a host does not want to be asked, from `Retry-After`.

    Args:
        headers: The answer's headers. A date is judged by the host's own `Date`, for the clocks
            of two machines differ.
        now: UTC, for an answer without `Date`.

    Returns:
        0 to `MAX_RETRY_AFTER`; None if the header is missing or says nothing.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), MAX_RETRY_AFTER)
    until = _date(value)
    if until is None:
        return None
    seconds = (until - (_date(headers.get("Date", "")) or now)).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


def _said(body: bytes) -> FaceError | None:
    try:
        return _of_detail(ErrorAnswer.model_validate_json(body).error)
    except ValidationError:
        return None


def _of_detail(detail: ErrorDetail) -> FaceError:
    """Choose a class by the code, unless it contradicts what the body says about trying again."""
    known = error_class(detail.code)
    if known.retryable != detail.retryable:
        known = HostNotReady if detail.retryable else UnknownHostError
    return known(detail.message)


def _unsaid(status: int, host: str) -> FaceError:
    if status in _NOT_NOW:
        return HostUnreachable(f"The face host {host} answers HTTP {status} now.")
    return ContractBroken(
        f"The face host {host} answered HTTP {status} without an error body; "
        "is another program listening there?"
    )
