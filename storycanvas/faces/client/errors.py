"""What a host's refusal means: its error body, its status, and when it wants to be asked again."""

from collections.abc import Mapping

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
from storycanvas.net.retry import read_retry_after

_UNAUTHORIZED = 401
_NOT_NOW = {502, 503, 504}
"""What a proxy answers for a host that is restarting; a host itself adds an error body."""


def refusal(status: int, headers: Mapping[str, str], body: bytes, host: str) -> FaceError:
    """Turn an answer that is no success into an error.

    Args:
        status: The HTTP status.
        headers: The answer's headers.
        body: What came; without an error body it is the answer of a proxy or another program.
        host: What messages call the host.

    Returns:
        The error, retryable exactly if the body asks for that; without an error body only 502, 503
        and 504 are. Its `retry_after` is what the host asks for.
    """
    if status == _UNAUTHORIZED:
        return TokenRefused(
            f"The face host {host} refuses the token; correct FACEFUSION_TOKEN or the block."
        )
    error = _read_refusal(body) or _without_body(status, host)
    error.retry_after = read_retry_after(headers)
    return error


def _read_refusal(body: bytes) -> FaceError | None:
    try:
        return error_of(ErrorAnswer.model_validate_json(body).error)
    except ValidationError:
        return None


def error_of(detail: ErrorDetail) -> FaceError:
    """Choose a class by the code, unless its `retryable` contradicts the body's."""
    known = error_class(detail.code)
    if known.retryable != detail.retryable:
        known = HostNotReady if detail.retryable else UnknownHostError
    return known(detail.message)


def _without_body(status: int, host: str) -> FaceError:
    if status in _NOT_NOW:
        return HostUnreachable(f"The face host {host} answers HTTP {status} now.")
    return ContractBroken(
        f"The face host {host} answered HTTP {status} without an error body; "
        "is another program listening there?"
    )
