"""What could not be read of one server, as a list that a hostile server cannot fill up."""

from reprlib import Repr

from catalog.entries import Problem

MOST_PROBLEMS = 1000
"""Further ones are counted only."""

_LONGEST = 80


def shown(value: object) -> str:
    """Write anything on at most 80 letters."""
    short = Repr()
    short.maxstring = short.maxother = short.maxlong = _LONGEST
    short.maxlist = short.maxdict = short.maxlevel = 3
    return short.repr(value)[:_LONGEST]


class Problems:
    """Collects problems in the order in which they are met."""

    def __init__(self) -> None:
        self._kept: list[Problem] = []
        self._more = 0

    def add(self, subject: str, reason: str) -> None:
        """Note what could not be read, and why."""
        if len(self._kept) < MOST_PROBLEMS:
            self._kept.append(Problem(subject, reason))
        else:
            self._more += 1

    def all(self) -> tuple[Problem, ...]:
        """List them; the last one tells how many more there were."""
        if not self._more:
            return tuple(self._kept)
        rest = Problem("further problems", f"{self._more} more could not be read.")
        return (*self._kept, rest)
