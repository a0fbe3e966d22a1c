"""Whose turn it is on a GPU host: the rules, apart from everything that carries them out.

Higher priority goes first; among equals, whoever has waited longest. A process keeps its slot over
work that is ready, at most for a quantum when equals wait, and gives it up at once, between two
operations, to work of higher priority.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

QUANTUM_SECONDS = 5.0
"""How long a process keeps a slot that others of the same priority wait for."""

PRECEDENCE_SECONDS = 1.0
"""How long a free slot is left to those who come first, before anybody may take it."""


@dataclass(frozen=True)
class Claim:
    """The best work that a process has ready.

    Attributes:
        priority: Larger goes first.
        since: When it began to wait, in seconds since 1970.
    """

    priority: int
    since: float

    @property
    def rank(self) -> tuple[int, float]:
        """Sorts claims; the smallest comes first."""
        return (-self.priority, self.since)


class SlotAction(Enum):
    """What becomes of a slot between two operations."""

    KEEP = "the next operation of this process, or nobody"
    HAND_OVER = "another process of this machine"
    GIVE_BACK = "another machine"


def next_action(
    own: Claim | None,
    held_seconds: float,
    neighbours: Sequence[Claim],
    others: Sequence[Claim],
) -> SlotAction:
    """Decide about a slot that is held.

    Args:
        own: What this process has ready; None without any work.
        held_seconds: How long it has held the slot.
        neighbours: What other processes of this machine wait with.
        others: What processes of other machines wait with.
    """
    waiting = [*neighbours, *others]
    if not waiting:
        return SlotAction.KEEP
    if own is not None and not any(_displaces(claim, own, held_seconds) for claim in waiting):
        return SlotAction.KEEP
    if neighbours and _first(neighbours).rank <= _first(waiting).rank:
        return SlotAction.HAND_OVER
    return SlotAction.GIVE_BACK


def may_acquire(own: Claim, others: Sequence[Claim], free_seconds: float) -> bool:
    """Tell whether a process may take a slot that is free.

    Args:
        own: What it waits with.
        others: What all others wait with, neighbours too.
        free_seconds: How long the slot has been seen free; those who come first may be gone.
    """
    if free_seconds >= PRECEDENCE_SECONDS:
        return True
    return all(own.rank <= claim.rank for claim in others)


def _displaces(claim: Claim, own: Claim, held_seconds: float) -> bool:
    due = claim.priority == own.priority and held_seconds >= QUANTUM_SECONDS
    return claim.priority > own.priority or due


def _first(claims: Sequence[Claim]) -> Claim:
    return min(claims, key=lambda claim: claim.rank)
