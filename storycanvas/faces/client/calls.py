"""One request to a face host, and what it is answered."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from storycanvas.faces.errors import AnswerDamaged, ContractBroken, HostUnreachable
from storycanvas.faces.pictures.reading import GrowingFile
from storycanvas.net.bodies import BodyTooLong, BodyTooSlow, bounded

Parsed = TypeVar("Parsed", bound=BaseModel)

Proceed = Callable[[], None]
"""Asked before each piece of a picture; what it raises ends the transfer."""

MAX_ANSWER_BYTES = 1024 * 1024
"""Most bytes of an answer that is no picture."""


def always() -> None:
    """Let a transfer proceed."""


@dataclass(frozen=True)
class Call:
    """A request, which can be sent any number of times.

    Attributes:
        method: The HTTP method.
        path: Below `/api/v1/`.
        seconds: Longest wait for the first byte of the answer.
        headers: Beside those of the connection.
        body: Opens what is sent, anew for each try; None sends nothing.
        expected: Statuses that are no refusals.
        picture: Whether the answer is a picture, which may have as many bytes as its header
            justifies; any other has at most `MAX_ANSWER_BYTES`.
        proceed: Raises what ends the call on its way.
    """

    method: str
    path: str
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Callable[[], bytes | Iterable[bytes]] | None = None
    expected: tuple[int, ...] = (200,)
    picture: bool = False
    proceed: Proceed = always

    def content(self) -> bytes | Iterator[bytes] | None:
        """Open what is sent, in pieces that ask whether to proceed."""
        body = self.body() if self.body else None
        return body if body is None or isinstance(body, bytes) else self._pieces(body)

    def _pieces(self, body: Iterable[bytes]) -> Iterator[bytes]:
        for piece in body:
            self.proceed()
            yield piece


@dataclass(frozen=True)
class Reply:
    """What a host answered to a call, of an expected status."""

    status: int
    body: bytes


def parse(kind: type[Parsed], reply: Reply, host: str) -> Parsed:
    """Read the body of a reply; `ContractBroken` if it is not of this kind."""
    try:
        return kind.model_validate_json(reply.body)
    except ValidationError as error:
        raise ContractBroken(
            f"{host} does not answer as a face host does ({error.error_count()} fields "
            "differ); is another program listening there?"
        ) from error


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
        PictureTooLarge: The picture is too large; reading stops there.
        Exception: What the call's `proceed` raises.
        ContractBroken: Any other body is too large.
    """
    buffer = io.BytesIO()
    file = GrowingFile(buffer, f"The picture {call.path} of the face host {host}")
    try:
        most = None if call.picture else MAX_ANSWER_BYTES
        for piece in bounded(response.iter_raw(), most, seconds):
            call.proceed()
            file.write(piece)
    except BodyTooLong:
        raise ContractBroken(
            f"The face host {host} answers {call.path} with more than the "
            f"{MAX_ANSWER_BYTES:,} bytes that are read."
        ) from None
    except BodyTooSlow:
        raise HostUnreachable(
            f"The face host {host} did not end its answer to {call.path} within {seconds:g} s."
        ) from None
    except (httpx.RemoteProtocolError, httpx.ReadError) as error:
        declared = response.headers.get("Content-Length", "an unknown number")
        raise AnswerDamaged(
            f"The answer of the face host {host} to {call.path} ended after {buffer.tell()} of "
            f"{declared} bytes; try again."
        ) from error
    return buffer.getvalue()
