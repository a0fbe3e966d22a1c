"""Steps that want a slot of any of several GPU hosts, in the order of their turns; no I/O."""

import itertools
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_numbers = itertools.count()


def next_number() -> int:
    """Draw the number that tells a step's turn in this process."""
    return next(_numbers)


@dataclass(eq=False)
class Wish:
    """One step that wants a slot.

    Attributes:
        run: Name of its run, to be shown to others who wait.
        run_id: Id of the flow run.
        priority: Larger goes first.
        number: Among equals the lower goes first.
        since: When it began to wait, seconds since 1970.
        limits: Limits of the hosts that may do it now.
        refused: Why a host's guard let nothing through, by limit.
        limit: Where it got a slot; None while it waits.
        stirred: Set when it got a slot or was refused.
        finished: Set when it needs the slot no longer.
    """

    run: str
    run_id: str = ""
    priority: int = 0
    number: int = field(default_factory=next_number)
    since: float = field(default_factory=time.time)
    limits: set[str] = field(default_factory=set)
    refused: dict[str, BaseException] = field(default_factory=dict)
    limit: str | None = None
    stirred: threading.Event = field(default_factory=threading.Event)
    finished: threading.Event = field(default_factory=threading.Event)


def in_turn(wishes: Iterable[Wish], limit: str) -> list[Wish]:
    """Sort those that a host may do, the next one first."""
    able = [wish for wish in wishes if limit in wish.limits]
    return sorted(able, key=lambda wish: (-wish.priority, wish.number))


def asking_priority(waiting: Sequence[int], asked: Sequence[int], slots: int) -> int | None:
    """Decide whether a guard is to be asked for one more slot.

    Args:
        waiting: Priorities of the steps that wait for it.
        asked: Priorities with which it is being asked already.
        slots: How many it can give at one time.

    Returns:
        The priority to ask with: the highest one that waits. None when enough is asked for.
    """
    if not waiting:
        return None
    highest = max(waiting)
    enough = len(asked) >= min(len(waiting), slots)
    return None if enough and max(asked) >= highest else highest
