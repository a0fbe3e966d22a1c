"""Whose turn it is on a GPU host: pure rules.

Higher priority goes first; among equals, the longest wait. A process keeps its slot while it has
work ready, at most for a quantum when equals wait, and gives it up at once, between two operations,
to work of higher priority.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from storycanvas.gpu.guard.settings import DEFAULTS, GuardSettings


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
    """What to do with a held slot between two operations."""

    KEEP = "keep it for the next operation of this process"
    HAND_OVER = "hand it over to another process of this machine"
    GIVE_BACK = "give it back to Prefect's server"


def next_action(
    own: Claim | None,
    held_seconds: float,
    peers: Sequence[Claim],
    others: Sequence[Claim],
    settings: GuardSettings = DEFAULTS,
) -> SlotAction:
    """Decide what to do with a held slot between two operations.

    Args:
        own: What this process has ready; None without any work.
        held_seconds: How long it has held the slot.
        peers: What other processes of this machine wait with.
        others: What processes of other machines wait with.
        settings: Set the quantum.
    """
    waiting = [*peers, *others]
    if not waiting:
        return SlotAction.KEEP
    is_due = held_seconds >= settings.quantum
    if own is not None and not any(_displaces(claim, own, is_due=is_due) for claim in waiting):
        return SlotAction.KEEP
    if peers and _first(peers).rank <= _first(waiting).rank:
        return SlotAction.HAND_OVER
    return SlotAction.GIVE_BACK


def may_acquire(
    own: Claim, others: Sequence[Claim], free_seconds: float, settings: GuardSettings = DEFAULTS
) -> bool:
    """Decide whether a process may take a free slot.

    Args:
        own: What it waits with.
        others: What all other processes wait with.
        free_seconds: How long the slot has been free; a better claim's process may be gone.
        settings: Set how long a better claim takes precedence.
    """
    if free_seconds >= settings.precedence:
        return True
    return all(own.rank <= claim.rank for claim in others)


def _displaces(claim: Claim, own: Claim, *, is_due: bool) -> bool:
    return claim.priority > own.priority or (is_due and claim.priority == own.priority)


def _first(claims: Sequence[Claim]) -> Claim:
    return min(claims, key=lambda claim: claim.rank)
