"""How long the client of a face host waits for what; `storycanvas.net.retry` repeats its calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from storycanvas.faces.operations import OPERATIONS, DetectOperation, MaskOperation

OPERATION_SECONDS = 330.0
"""Longest wait for an operation: the host's own limit of 300 s and some."""

LOOK_SECONDS = 120.0
"""Longest wait for an operation that only looks at a face. It runs the smallest models; what takes
most of the time is a cold start of the engine and, on a shared host, the operation before it."""

ANSWER_SECONDS: Mapping[str, float] = {
    **{operation.path: OPERATION_SECONDS for operation in OPERATIONS},
    DetectOperation.path: LOOK_SECONDS,
    MaskOperation.path: LOOK_SECONDS,
    "status": 10.0,
    "assets": 30.0,
    "operations": 20.0,
}
"""Longest wait for the first byte of an answer in seconds, by path below `/api/v1/`."""


@dataclass(frozen=True)
class Timeouts:
    """Longest waits in seconds, each above 0.

    Attributes:
        connect: For a connection. Short: a host that is there accepts at once.
        write: For the host to take the next piece of an upload.
        pool: For one of the client's connections to become free.
        transfer: From the first byte of an answer to its end, so that no trickle holds a caller.
        answers: For the first byte of an answer, and for each next piece of it, by path below
            `/api/v1/`; pictures share the entry `assets`. A path that is not there waits
            `OPERATION_SECONDS`.
    """

    connect: float = 5.0
    write: float = 30.0
    pool: float = 30.0
    transfer: float = 120.0
    answers: Mapping[str, float] = field(default_factory=lambda: ANSWER_SECONDS)

    def answer(self, path: str) -> float:
        """Look up the longest wait for the first byte of an answer, in seconds."""
        return self.answers.get(path, OPERATION_SECONDS)


DEFAULT_TIMEOUTS = Timeouts()
