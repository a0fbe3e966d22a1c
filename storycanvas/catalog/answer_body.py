"""The body of an answer, within bounds of time and of unpacked length."""

import zlib

import httpx

from storycanvas.catalog.errors import AnswerUnreadable, CatalogUnreachable
from storycanvas.catalog.unpacking import unpacked
from storycanvas.net.bodies import BodyTooLong, BodyTooSlow, bounded

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
    raw = bounded(response.iter_raw(), None, whole_seconds)
    packing = response.headers.get("Content-Encoding", "").strip().casefold()
    try:
        return b"".join(bounded(unpacked(raw) if packing == ACCEPTED else raw, max_bytes))
    except BodyTooLong:
        raise AnswerUnreadable(f"The answer of {where} is longer than {max_bytes} bytes.") from None
    except BodyTooSlow:
        raise CatalogUnreachable(
            f"{where} did not end its answer within {whole_seconds:g} s."
        ) from None
    except (EOFError, zlib.error) as error:
        raise AnswerUnreadable(f"The answer of {where} cannot be unpacked.") from error
