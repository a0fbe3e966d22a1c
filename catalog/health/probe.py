"""A question to one host, and what its failures mean."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from catalog.errors import CatalogError, CatalogUnreachable
from catalog.health.check import Answer, HostCheck, HostKind

T = TypeVar("T")


@dataclass(frozen=True)
class Probe:
    """A question to one host.

    Attributes:
        name: The host's.
        kind: What it is.
        address: Without a user or a query.
        ask: Asks it; runs in a thread of its own and should end by itself within the time limit.
    """

    name: str
    kind: HostKind
    address: str
    ask: Callable[[], Answer]

    def check(self, answer: Answer) -> HostCheck:
        """Say of which host an answer is."""
        return HostCheck(name=self.name, kind=self.kind, address=self.address, **dict(answer))


def timed(call: Callable[[], T]) -> tuple[T, float]:
    """Call something, and tell how many milliseconds it took."""
    begin = time.monotonic()
    result = call()
    return result, round((time.monotonic() - begin) * 1000, 1)


def failed(error: CatalogError) -> Answer:
    """Tell what it means that a server could not be read."""
    state = "down" if isinstance(error, CatalogUnreachable) else "error"
    return Answer(state=state, note=str(error))
