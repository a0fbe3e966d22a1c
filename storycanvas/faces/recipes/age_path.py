"""The way from the age of a picture to other ages, in one step or through others."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

OLDEST = 100
"""Years; no jump is larger."""

INTERMEDIATE_FROM = 40
"""Years of a jump from which on intermediate ages are used (docs/pipelines/age-progression.md)."""

LARGEST_JUMP = INTERMEDIATE_FROM - 1
"""Years of the largest part of a jump that is cut, unless a person names another one."""

LARGEST_OF_ALWAYS = 25
"""The same where every large jump is cut."""


class Intermediates(StrEnum):
    """When a jump goes through intermediate ages."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True)
class JumpRule:
    """Which jumps are cut, and into which parts.

    Attributes:
        uncut: Years of the largest jump that is made in one step.
        part: Years of the largest part of one that is cut.
    """

    uncut: int = LARGEST_JUMP
    part: int = LARGEST_JUMP

    @classmethod
    def of(cls, intermediates: Intermediates, largest_jump: int | None) -> "JumpRule":
        """Derive the rule from what a form says."""
        match intermediates:
            case Intermediates.ALWAYS:
                largest = largest_jump or LARGEST_OF_ALWAYS
                return cls(largest, largest)
            case Intermediates.NEVER:
                return cls(uncut=OLDEST)
        return cls(part=largest_jump or LARGEST_JUMP)


USUAL_RULE = JumpRule()


def age_path(
    base_age: int,
    ages: Iterable[int],
    rule: JumpRule = USUAL_RULE,
) -> dict[int, int]:
    """Find the age from which each age is made.

    A jump that is not cut starts at the base picture. A larger one starts at the planned age
    nearest to its middle that leaves no more than a part to go, so that intermediates are shared;
    where there is none, the jump is cut into equal parts.

    Args:
        base_age: Years, 0 to 100: the age of the base picture.
        ages: The wanted ages, in any order.
        rule: Which jumps are cut; by itself those of 40 years and more, into parts of less.

    Returns:
        For each wanted or intermediate age the age it is made from, parents before children. The
        base age stands for the base picture; if it is wanted itself, it is made from the base too.
    """
    parents: dict[int, int] = {}
    for age in sorted(set(ages), key=lambda age: (abs(age - base_age), age)):
        _reach(age, base_age, parents, rule)
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


def _reach(age: int, base_age: int, parents: dict[int, int], rule: JumpRule) -> None:
    if age in parents:
        return
    jump = age - base_age
    if abs(jump) <= rule.uncut:
        parents[age] = base_age
        return
    parent = _nearest_to_middle(age, base_age, parents, rule.part)
    if parent is None:
        parts = abs(jump) // (rule.part + 1) + 1
        parent = base_age + round(jump * (parts - 1) / parts)
        _reach(parent, base_age, parents, JumpRule(rule.part, rule.part))
    parents[age] = parent


def _nearest_to_middle(age: int, base_age: int, parents: dict[int, int], part: int) -> int | None:
    low, high = sorted((age, base_age))
    between = [p for p in parents if low < p < high and abs(age - p) <= part]
    return min(between, key=lambda p: (abs(p - (age + base_age) / 2), p), default=None)
