"""The cases that the benchmark measures side by side, and what it claims of them."""

import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

from blocks.limits import create_limit
from tests.support.guard.counting_host import CountingHost
from tests.support.guard.figures import busy, calls_a_second, longest_wait
from tests.support.guard.processes import OwnPrefect, run_together
from tests.support.guard.ways import WorkerTask

MAX_TURN_SECONDS = 15.0
"""Three quanta of 5 s: how long a process may wait for its turn among three."""


class Load(NamedTuple):
    """What each process calls; with several hosts, what there is for each host.

    Attributes:
        calls: How many calls.
        seconds: How long the host takes for each.
    """

    calls: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.calls} x {self.seconds:g} s"


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        title: Its name in the table.
        way: Which of `tests.support.guard.ways.WAYS`, or of `DBOS_POLL_SECONDS`.
        processes: How many processes begin together.
        hosts: How many hosts there are, each with its limit.
        least_busy: Claimed for short and for long calls, from 0 to 1.
        longest_wait: Claimed of every process, in seconds.
        least_gain: Claimed calls per second, as a multiple of those of one host.
    """

    title: str
    way: str
    processes: int = 1
    hosts: int = 1
    least_busy: tuple[float, float] = (0.0, 0.0)
    longest_wait: float = float("inf")
    least_gain: float = 0.0

    @property
    def is_ours(self) -> bool:
        """Whether something is claimed of it."""
        return self.way == "guarded"


LOADS = (Load(40, 0.2), Load(20, 1.0))
CASES = (
    Case("bare loop of HTTP calls", "bare"),
    Case("Prefect's limit around each call", "plain"),
    Case("DBOS queue", "dbos"),
    Case("DBOS queue polled every 0.05 s", "dbos, polled fast"),
    Case("the guard", "guarded", least_busy=(0.98, 0.995)),
    Case("Prefect's limit, 3 processes", "plain", processes=3),
    Case("DBOS queue, 3 processes", "dbos", processes=3),
    Case(
        "the guard, 3 processes",
        "guarded",
        processes=3,
        least_busy=(0.97, 0.995),
        longest_wait=MAX_TURN_SECONDS,
    ),
    Case("the guard, 2 hosts", "guarded", hosts=2, least_gain=1.9),
    Case("the guard, 4 hosts", "guarded", hosts=4, least_gain=3.7),
)


@dataclass(frozen=True)
class Figures:
    """What was measured of a case.

    Attributes:
        busy: Part of the time in which the hosts were at work, from 0 to 1.
        wait: Longest wait of a process for its turn, in seconds.
        rate: Calls per second.
        overlaps: Calls that came while another was in service.
    """

    busy: float
    wait: float
    rate: float
    overlaps: int


def measure(prefect: OwnPrefect, case: Case, load: Load) -> Figures:
    """Measure a case once, with hosts and limits of its own.

    Raises:
        RuntimeError: A process failed.
    """
    with ExitStack() as undo:
        hosts = [CountingHost(load.seconds) for _ in range(case.hosts)]
        for host in hosts:
            undo.callback(host.close)
        limits = [f"gpu:{uuid4().hex}" for _ in hosts]
        for limit in limits:
            create_limit(limit, 1)
        urls = [host.url for host in hosts]
        calls = load.calls * case.hosts
        names = "abcdefghij"[: case.processes]
        start = run_together(
            prefect, [WorkerTask(case.way, name, calls, limits, urls) for name in names]
        )
    served = [call for host in hosts for call in host.served]
    return Figures(
        busy=busy(served, case.hosts),
        wait=longest_wait(served, start),
        rate=calls_a_second(served),
        overlaps=sum(host.overlaps for host in hosts),
    )


def middle(rounds: list[Figures]) -> Figures:
    """Take the middle of several rounds' figures, the longest wait and all overlaps."""
    return Figures(
        busy=statistics.median(figures.busy for figures in rounds),
        wait=max(figures.wait for figures in rounds),
        rate=statistics.median(figures.rate for figures in rounds),
        overlaps=sum(figures.overlaps for figures in rounds),
    )


def broken_claims(case: Case, figures: Figures, *, short: bool, gain: float) -> Iterator[str]:
    """List the claims that do not hold, each as a short sentence.

    Args:
        case: What was measured.
        figures: What came of it.
        short: Whether it was the load of short calls.
        gain: Calls per second, as a multiple of those of one host.
    """
    least = case.least_busy[0 if short else 1]
    if figures.busy < least:
        yield f"busy below {least:.1%}"
    if figures.wait > case.longest_wait:
        yield f"waited over {case.longest_wait:.0f} s"
    if gain < case.least_gain:
        yield f"gain below {case.least_gain}"
    if case.is_ours and figures.overlaps:
        yield "calls overlapped"
