"""The body of an answer, within bounds of time and of unpacked length."""

import time
import zlib
from collections.abc import Iterator

import httpx

from storycanvas.catalog.errors import AnswerUnreadable, CatalogUnreachable
from storycanvas.catalog.unpacking import unpacked

ACCEPTED = "gzip"
"""What to send as `Accept-Encoding`; what says that it is packed otherwise is not unpacked."""


def read_body(
    response: httpx.Response, where: str, *, max_bytes: int, whole_seconds: float
) -> bytes:
    """Read and unpack.

    Args:
        response: Its headers have come, its body has not.
        where: The address as messages tell it.
        max_bytes: How long the body may be, unpacked.
        whole_seconds: How long it may take.

    Raises:
        AnswerUnreadable: It is too long, or cannot be unpacked.
        CatalogUnreachable: It takes too long.
        httpx.TransportError: The connection breaks.
    """
    raw = _in_time(response, where, whole_seconds)
    packing = response.headers.get("Content-Encoding", "").strip().casefold()
    try:
        return _bounded(unpacked(raw) if packing == ACCEPTED else raw, where, max_bytes)
    except (EOFError, zlib.error) as error:
        raise AnswerUnreadable(f"The answer of {where} cannot be unpacked.") from error


def _in_time(response: httpx.Response, where: str, seconds: float) -> Iterator[bytes]:
    latest = time.monotonic() + seconds
    for part in response.iter_raw():
        yield part
        if time.monotonic() > latest:
            raise CatalogUnreachable(f"{where} did not end its answer within {seconds:g} s.")


def _bounded(parts: Iterator[bytes], where: str, max_bytes: int) -> bytes:
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > max_bytes:
            raise AnswerUnreadable(f"The answer of {where} is longer than {max_bytes} bytes.")
    return bytes(body)
