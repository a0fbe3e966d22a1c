"""What a sync of the servers' models found."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

MOST_PROBLEMS = 200
"""Problems that a report lists; the rest is counted."""


class ServerSync(BaseModel):
    """What became of one server's records.

    Attributes:
        id: The server's id.
        name: Its name.
        url: Its address.
        status: `online`, `offline` or `error`.
        seconds: How long its status took; None while offline.
        models: How many models it lists; None where unknown.
        complete: Whether its listing was whole; only then models can be gone.
        new: Models that were never seen there before.
        back: Models that were gone and are there again.
        changed: Models of which something else is told now, or that got an id of this scheme.
        gone: Models that are no longer listed.
        unchanged: All others.
        error: Why it is not online, or why its models are unknown.
        problems: What could not be read, at most 200 sentences.
        problem_count: How many there are.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    url: str
    status: str
    seconds: float | None = None
    models: int | None = None
    complete: bool = False
    new: int = 0
    back: int = 0
    changed: int = 0
    gone: int = 0
    unchanged: int = 0
    error: str | None = None
    problems: tuple[str, ...] = ()
    problem_count: int = 0


class SyncReport(BaseModel):
    """What became of all servers' records.

    Attributes:
        servers: Each server, in the order in which they were read.
    """

    model_config = ConfigDict(frozen=True)

    servers: tuple[ServerSync, ...]

    def summary(self) -> str:
        """Say it in two sentences."""
        online = sum(server.status == "online" for server in self.servers)
        told = [f"{self._total(word)} {word}" for word in ("new", "back", "changed", "gone")]
        unread = self._total("problem_count")
        rest = f" {unread} entries could not be read." if unread else ""
        return f"{online} of {len(self.servers)} servers online. Models: {', '.join(told)}.{rest}"

    def lines(self) -> Iterator[str]:
        """Say what became of each server, a line each."""
        for server in self.servers:
            listed = "models unknown" if server.models is None else f"{server.models} models"
            part = "" if server.complete or server.models is None else " (listing incomplete)"
            error = f" {server.error}" if server.error else ""
            yield f"{server.name}: {server.status}, {listed}{part}.{error}"

    def _total(self, count: str) -> int:
        return sum(getattr(server, count) for server in self.servers)
