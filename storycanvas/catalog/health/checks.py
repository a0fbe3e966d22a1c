"""What one check of a host found."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from storycanvas.catalog.errors import CatalogError, CatalogUnreachable

HostKind = Literal["face host", "comfyui", "mongodb", "image store"]

HostKey = tuple[str, str, str]
"""Kind, name and address: what makes a host the same in two checks."""

HostState = Literal["up", "down", "error", "starting", "stopping", "failed"]
"""`down` is without an answer, `error` with a useless one; a face host reports the last three."""


class HostQueue(BaseModel):
    """How much work a host has.

    Attributes:
        running: Jobs that it does now.
        waiting: Jobs that wait.
    """

    model_config = ConfigDict(frozen=True)

    running: NonNegativeInt
    waiting: NonNegativeInt


class GpuGuard(BaseModel):
    """The limit that guards a face host.

    Attributes:
        slots: Operations that it lets through at a time; None if there is no limit.
        taken: Slots that are held now.
        guarded: Whether it guards; nothing is sent to the host while it does not.
    """

    model_config = ConfigDict(frozen=True)

    slots: NonNegativeInt | None
    taken: NonNegativeInt
    guarded: bool


class Answer(BaseModel):
    """What a host answered, or why it did not.

    Attributes:
        state: In one word.
        latency_ms: Milliseconds from the request of its status to the end of the answer.
        version: Of the program that answered.
        queue: None if unknown.
        gpu: Of a face host only.
        free_disk_bytes: None if unknown.
        note: Sentences for the operator; None without any.
    """

    model_config = ConfigDict(frozen=True)

    state: HostState = "up"
    latency_ms: float | None = Field(None, ge=0)
    version: str | None = None
    queue: HostQueue | None = None
    gpu: GpuGuard | None = None
    free_disk_bytes: NonNegativeInt | None = None
    note: str | None = None


class HostCheck(Answer):
    """What one check of a host found.

    Attributes:
        name: No two hosts have the same.
        kind: What it is.
        address: Without a user or a query; empty if unknown.
    """

    name: str
    kind: HostKind
    address: str

    @property
    def key(self) -> HostKey:
        """What makes it the same host in another check."""
        return (self.kind, self.name, self.address)

    @property
    def is_up(self) -> bool:
        """Whether it can do its work."""
        return self.state == "up"


T = TypeVar("T")


@dataclass(frozen=True)
class Probe:
    """A request to one host.

    Attributes:
        name: The host's.
        kind: What it is.
        address: Without a user or a query.
        ask: Runs in a thread of its own and should end by itself within the time limit.
    """

    name: str
    kind: HostKind
    address: str
    ask: Callable[[], Answer]

    def check(self, answer: Answer) -> HostCheck:
        """Add to an answer which host gave it."""
        return HostCheck(name=self.name, kind=self.kind, address=self.address, **dict(answer))


def timed(call: Callable[[], T]) -> tuple[T, float]:
    """Call a function; return its result and the milliseconds it took."""
    begin = time.monotonic()
    result = call()
    return result, round((time.monotonic() - begin) * 1000, 1)


def failed(error: CatalogError) -> Answer:
    """Convert an error of reading a server to the answer of its check."""
    state = "down" if isinstance(error, CatalogUnreachable) else "error"
    return Answer(state=state, note=str(error))
