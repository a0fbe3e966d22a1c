"""Reading an answer as it comes, but no more of it and no longer than allowed."""

import io
import time
from collections.abc import Iterator

import httpx

from faces.client_calls import Call
from faces.errors import AnswerDamaged, HostUnreachable


def read_body(response: httpx.Response, call: Call, seconds: float, host: str) -> bytes:
    """Read the body of an answer whose head has come, up to its end.

    Args:
        response: A streamed response.
        call: What it answers; it bounds the size.
        seconds: Longest wait for the end.
        host: What messages call the host.

    Raises:
        AnswerDamaged: The connection ended first.
        HostUnreachable: The end did not come in time.
        FaceError: `call.too_large`, when the body is; reading stops there.
        httpx.HTTPError: The next piece did not come in time.
    """
    buffer = io.BytesIO()
    try:
        for chunk in _bounded(response, call, seconds, host):
            buffer.write(chunk)
    except (httpx.RemoteProtocolError, httpx.ReadError) as error:
        declared = response.headers.get("Content-Length", "an unknown number")
        raise AnswerDamaged(
            f"The answer of the face host {host} to {call.path} ended after {buffer.tell()} of "
            f"{declared} bytes; try again."
        ) from error
    return buffer.getvalue()


def _bounded(response: httpx.Response, call: Call, seconds: float, host: str) -> Iterator[bytes]:
    end = time.monotonic() + seconds
    size = 0
    for chunk in response.iter_raw():
        size += len(chunk)
        if size > call.most_bytes:
            raise call.too_large(
                f"The face host {host} answers {call.path} with more than the "
                f"{call.most_bytes:,} bytes that are read."
            )
        if time.monotonic() > end:
            raise HostUnreachable(
                f"The face host {host} did not end its answer to {call.path} within {seconds:g} s."
            )
        yield chunk
