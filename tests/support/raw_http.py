"""Sending a request byte by byte, so that it may be as wrong as it likes."""

import contextlib
import http.client
import socket
import time
from dataclasses import dataclass
from enum import Enum


class Framing(Enum):
    """How the end of a body is told."""

    LENGTH = "length"
    CHUNKED = "chunked"
    BROKEN_CHUNKS = "broken chunks"
    TOO_LONG = "a length that more bytes follow"
    TOO_SHORT = "a length that is never reached"
    HUGE = "a length beyond all limits"
    NONSENSE = "a length that is no number"
    NONE = "nothing"


@dataclass(frozen=True)
class RawRequest:
    """A request as it goes over the wire.

    Attributes:
        method: May be anything.
        target: Path and query as sent.
        headers: All but those of the framing and `Connection: close`.
        body: Its bytes before they are framed.
        framing: How it is framed.
        pictures: The values of its picture fields, as far as they are in the body unharmed.
    """

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    framing: Framing = Framing.LENGTH
    pictures: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """Put the request together."""
        lines = [self.method + b" " + self.target + b" HTTP/1.1", b"Connection: close"]
        lines += [name + b": " + value for name, value in self.headers]
        framing, body = _framed(self.body, self.framing)
        return b"\r\n".join([*lines, *framing, b"", body])


@dataclass(frozen=True)
class RawAnswer:
    """What came back.

    Attributes:
        status: 0 if the connection ended without an answer.
        kind: The content type.
        body: As sent.
        seconds: From the first byte sent to the last one read.
        timed_out: Whether nothing came for too long.
        head: All headers, as they came.
    """

    status: int
    kind: str
    body: bytes
    seconds: float
    timed_out: bool = False
    head: str = ""


def _framed(body: bytes, framing: Framing) -> tuple[list[bytes], bytes]:
    size = len(body)
    match framing:
        case Framing.CHUNKED:
            chunk = b"%x\r\n%s\r\n" % (size, body) if body else b""
            return [b"Transfer-Encoding: chunked"], chunk + b"0\r\n\r\n"
        case Framing.BROKEN_CHUNKS:
            return [b"Transfer-Encoding: chunked"], b"zz\r\n" + body
        case Framing.NONE:
            return [], body
    lengths = {
        Framing.LENGTH: b"%d" % size,
        Framing.TOO_LONG: b"%d" % (size // 2),
        Framing.TOO_SHORT: b"%d" % (size + 10),
        Framing.HUGE: b"9" * 19,
        Framing.NONSENSE: b"-1e9",
    }
    return [b"Content-Length: " + lengths[framing]], body


def send(address: tuple[str, int], request: RawRequest, seconds: float) -> RawAnswer:
    """Send a request on a connection of its own and read what comes back.

    Args:
        address: Where the host listens.
        request: What to send; one whose body never ends is given up, not waited for.
        seconds: Longest silence.
    """
    begin = time.monotonic()
    if request.framing is Framing.TOO_SHORT:
        seconds = 0.05  # the host waits for more, rightly
    with socket.create_connection(address, timeout=seconds) as connection:
        # The host may answer and hang up before it has heard all of it.
        with contextlib.suppress(OSError):
            connection.sendall(request.encode())
        return _read(connection, request, begin)


def _read(connection: socket.socket, request: RawRequest, begin: float) -> RawAnswer:
    answer = http.client.HTTPResponse(connection, method=request.method.decode("latin-1"))
    try:
        answer.begin()
        kind, body = answer.headers.get_content_type(), answer.read()
    except (http.client.HTTPException, ConnectionError):
        return RawAnswer(0, "", b"", time.monotonic() - begin)
    except TimeoutError:
        return RawAnswer(0, "", b"", time.monotonic() - begin, timed_out=True)
    finally:
        answer.close()
    seconds = time.monotonic() - begin
    return RawAnswer(answer.status, kind, body, seconds, head=str(answer.headers))
