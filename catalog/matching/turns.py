"""Whose turn it is, where one run can look for a few only."""

from collections.abc import Sequence
from typing import TypeVar

Value = TypeVar("Value")


def in_turn(values: Sequence[Value], most: int, turn: int) -> list[Value]:
    """Take as many as may be looked for now, others each turn and all in time.

    So what is looked for in vain, again and again, keeps no other from its turn.

    Args:
        values: All, in the same order each time.
        most: How many at most; 1 or more.
        turn: Counts up, such as the number of the day.
    """
    if len(values) <= most:
        return [*values]
    begin = turn * most % len(values)
    return [*values[begin:], *values[:begin]][:most]
