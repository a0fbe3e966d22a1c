"""Answers of servers: what a status means, and a body within bounds of time and unpacked length."""

import zlib
from collections.abc import Iterable, Iterator
from http import HTTPStatus

import httpx

from storycanvas.catalog.errors import (
    AnswerUnreadable,
    CatalogBusy,
    CatalogRefused,
    CatalogUnreachable,
    NotThere,
)
from storycanvas.net.bodies import BodyTooLong, BodyTooSlow, bounded
from storycanvas.net.redact import redact_url
from storycanvas.net.retry import read_retry_after

ACCEPTED = "gzip"
"""The value of `Accept-Encoding`; a body with another content encoding is not unpacked."""

PART_BYTES = 256 * 1024
"""Longest unpacked part."""

_GZIP_WRAPPED = 31  # zlib's manual: 15 bits of window, and 16 for the wrapper of gzip


def check_status(response: httpx.Response, where: str) -> None:
    """Raise the error that a status other than 2xx means.

    Args:
        response: Only its status and headers are read.
        where: The address as it stands in messages.

    Raises:
        CatalogBusy: 429 or 5xx.
        CatalogRefused: Another 4xx.
        NotThere: 404.
        AnswerUnreadable: A redirect; none is followed.
    """
    status = response.status_code
    if response.is_success:
        return
    if response.has_redirect_location:
        raise AnswerUnreadable(_redirect(response, where))
    if status == HTTPStatus.NOT_FOUND:
        raise NotThere(f"{where} is not there (404).")
    if status == HTTPStatus.TOO_MANY_REQUESTS or response.is_server_error:
        wait = read_retry_after(response.headers)
        raise CatalogBusy(f"{where} answered {status}; try again later.", wait, status)
    if response.is_client_error:
        raise CatalogRefused(_refusal(response, where), status)
    raise AnswerUnreadable(f"{where} answered {status} instead of JSON; check the address.")


_NEEDS_A_KEY = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def _refusal(response: httpx.Response, where: str) -> str:
    """Describe a refusal, which is of the key only where the server itself and not a proxy refuses.

    Cloudflare, which stands before Civitai, and proxies of companies answer 403 with a page.
    """
    status = response.status_code
    refused = f"{where} refused the request ({status})"
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return f"The proxy before {where} wants a user; write one into HTTP_PROXY and HTTPS_PROXY."
    if "html" in response.headers.get("Content-Type", "").casefold():
        return (
            f"{refused} with a web page: a proxy or firewall before it does not let this machine "
            "through, whatever the key is. Allow the address there, or ask from another network."
        )
    if status in _NEEDS_A_KEY:
        return f"{refused}. Check the key, if it has one."
    return f"{refused}. Check the address, and the filters if there are any."


def _redirect(response: httpx.Response, where: str) -> str:
    # httpx has raised RemoteProtocolError for a target that is not an address.
    target = redact_url(str(response.request.url.join(response.headers["Location"])))
    leads = f"{where} answered {response.status_code} and leads to {target}"
    return f"{leads}; write that address instead."


def read_body(
    response: httpx.Response, where: str, *, max_bytes: int, whole_seconds: float
) -> bytes:
    """Read the body of a streamed response and unpack it.

    Args:
        response: Its headers have come, its body has not.
        where: The address as it stands in messages.
        max_bytes: Longest body, unpacked.
        whole_seconds: Longest time for the whole body.

    Raises:
        AnswerUnreadable: The body is too long, or cannot be unpacked.
        CatalogUnreachable: The body takes too long.
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


def unpacked(packed_parts: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack gzip members; unlike the module `gzip`, yield what comes before the damage.

    Args:
        packed_parts: One or more gzip members after each other, cut anywhere.

    Yields:
        Parts of at most `PART_BYTES`; none is empty.

    Raises:
        EOFError: The text is cut off.
        zlib.error: The text is damaged, or not gzip.
    """
    unpacker = zlib.decompressobj(_GZIP_WRAPPED)
    for next_part in packed_parts:
        packed = next_part
        while packed:
            if unpacker.eof:
                packed = packed.lstrip(b"\0")  # padding between two members, or after the last
                if not packed:
                    break
                unpacker = zlib.decompressobj(_GZIP_WRAPPED)
            if part := unpacker.decompress(packed, PART_BYTES):
                yield part
            packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    while not unpacker.eof and (part := unpacker.decompress(b"", PART_BYTES)):
        yield part
    if not unpacker.eof:
        raise EOFError
