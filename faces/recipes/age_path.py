"""Which ages lie on the way from the base age to each wanted age."""

from collections.abc import Iterable

INTERMEDIATE_FROM = 40
"""Years of a jump from which on intermediate ages are used (seed 002, "Quality by Jump")."""


def age_path(base_age: int, ages: Iterable[int]) -> dict[int, int]:
    """Find the age from which each age is made.

    A jump of less than 40 years starts at the base picture. A larger one starts at the planned age
    nearest to its middle that leaves less than 40 years to go, so that intermediates are shared;
    where there is none, the jump is cut into equal parts of less than 40 years.

    Args:
        base_age: Years, 0 to 100: the age of the base picture.
        ages: The wanted ages, in any order.

    Returns:
        For each wanted or intermediate age the age it is made from, parents before children. The
        base age stands for the base picture; if it is wanted itself, it is made from the base too.
    """
    parents: dict[int, int] = {}
    for age in sorted(set(ages), key=lambda age: (abs(age - base_age), age)):
        _reach(age, base_age, parents)
    return _in_order(parents, base_age)


def _in_order(parents: dict[int, int], base_age: int) -> dict[int, int]:
    """Put the ages into ascending order, each after the one it is made from."""
    ordered: dict[int, int] = {}

    def add(age: int) -> None:
        start = parents[age]
        if start != base_age and start not in ordered:
            add(start)
        ordered[age] = start

    for age in sorted(parents):
        add(age)
    return ordered


def _reach(age: int, base_age: int, parents: dict[int, int]) -> None:
    if age in parents:
        return
    jump = age - base_age
    if abs(jump) < INTERMEDIATE_FROM:
        parents[age] = base_age
        return
    parent = _nearest_to_middle(age, base_age, parents)
    if parent is None:
        parts = abs(jump) // INTERMEDIATE_FROM + 1
        parent = base_age + round(jump * (parts - 1) / parts)
        _reach(parent, base_age, parents)
    parents[age] = parent


def _nearest_to_middle(age: int, base_age: int, parents: dict[int, int]) -> int | None:
    low, high = sorted((age, base_age))
    between = [p for p in parents if low < p < high and abs(age - p) < INTERMEDIATE_FROM]
    return min(between, key=lambda p: (abs(p - (age + base_age) / 2), p), default=None)
