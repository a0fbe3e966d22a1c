"""One request to a face host, and what it is answered."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from faces.errors import ContractBroken, FaceError

Parsed = TypeVar("Parsed", bound=BaseModel)

MAX_ANSWER_BYTES = 1024 * 1024
"""Most bytes of an answer that is no picture."""


@dataclass(frozen=True)
class Call:
    """A request, which can be sent any number of times.

    Attributes:
        method: The HTTP method.
        path: Below `/api/v1/`.
        seconds: Longest wait for the begin of the answer.
        headers: Beside those of the connection.
        body: Opens what is sent, anew for each try; None sends nothing.
        expected: Statuses that are no refusals.
        most_bytes: Of the answer.
        too_large: What a longer answer is.
    """

    method: str
    path: str
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Callable[[], bytes | Iterable[bytes]] | None = None
    expected: tuple[int, ...] = (200,)
    most_bytes: int = MAX_ANSWER_BYTES
    too_large: type[FaceError] = ContractBroken


@dataclass(frozen=True)
class Reply:
    """What a host answered to a call, of an expected status."""

    status: int
    body: bytes


def parse(kind: type[Parsed], reply: Reply, host: str) -> Parsed:
    """Read the body of a reply.

    Args:
        kind: What it should be.
        reply: What came.
        host: What messages call the host.

    Raises:
        ContractBroken: It is something else.
    """
    try:
        return kind.model_validate_json(reply.body)
    except ValidationError as error:
        raise ContractBroken(
            f"{host} does not answer as a face host does ({error.error_count()} fields "
            "differ); is another program listening there?"
        ) from error
