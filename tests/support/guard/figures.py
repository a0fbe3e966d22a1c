"""Figures of a guard, computed from the calls that the judge served. Pure functions.

A caller is `process/operation`; a process that replaces a killed one has a name of its own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from tests.support.guard.counting_host import Served


def busy(served: Sequence[Served], hosts: int = 1) -> float:
    """Compute the share of service in the time between the first start and the last end.

    Args:
        served: All calls, of all hosts.
        hosts: How many hosts served them, one at a time each.

    Returns:
        From 0 to 1; more when calls overlapped.
    """
    return sum(call.ended - call.started for call in served) / (_span(served) * hosts)


def calls_a_second(served: Sequence[Served]) -> float:
    """Compute the calls per second between first start and last end."""
    return len(served) / _span(served)


def longest_wait(served: Iterable[Served], start: float) -> float:
    """Find the longest time that a process waited for its turn, in seconds.

    Args:
        served: All calls; those of one process one after the other.
        start: When all processes began, by the clock of the calls.
    """
    ends: dict[str, float] = {}
    longest = 0.0
    for call in sorted(served, key=lambda call: call.started):
        process = process_of(call)
        longest = max(longest, call.started - ends.get(process, start))
        ends[process] = max(call.ended, ends.get(process, start))
    return longest


def process_of(call: Served) -> str:
    """Name the process that called."""
    return call.caller.split("/")[0]


def operation_of(call: Served, family: Mapping[str, str]) -> str:
    """Name the operation that was called, independent of the process of a family.

    Args:
        call: The call.
        family: For each process, the one that it replaces, directly or not; itself otherwise.
    """
    process, operation = call.caller.split("/")
    return f"{family[process]}/{operation}"


def repeated(served: Iterable[Served], family: Mapping[str, str]) -> Counter[str]:
    """Count, for each process, its calls that another process had to make again.

    Args:
        served: All calls.
        family: As in `operation_of`.
    """
    by_operation: dict[str, list[Served]] = {}
    for call in sorted(served, key=lambda call: call.started):
        by_operation.setdefault(operation_of(call, family), []).append(call)
    return Counter(
        process_of(first) for calls in by_operation.values() for first, _ in pairwise(calls)
    )


def use_after(
    served: Iterable[Served], process: str, killed_at: float
) -> tuple[float, float] | None:
    """Find when a slot was used again after a process was killed.

    Args:
        served: All calls on the slot.
        process: The killed process.
        killed_at: When, by the clock of the calls.

    Returns:
        When it was killed and when the next call began. None when another process was the last to
        call before, or no call followed.
    """
    calls = sorted(served, key=lambda call: call.started)
    before = [call for call in calls if call.started <= killed_at]
    after = [call for call in calls if call.started > killed_at]
    if not before or not after or process_of(before[-1]) != process:
        return None
    return killed_at, after[0].started


def _span(served: Sequence[Served]) -> float:
    return max(call.ended for call in served) - min(call.started for call in served)
