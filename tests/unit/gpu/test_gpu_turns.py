"""Whose turn it is on a GPU host."""

import pytest

from storycanvas.gpu.guard.fairness import (
    PRECEDENCE_SECONDS,
    QUANTUM_SECONDS,
    Claim,
    SlotAction,
    may_acquire,
    next_action,
)

EARLY, LATE = Claim(0, 100.0), Claim(0, 200.0)
URGENT = Claim(5, 300.0)
YOUNG, DUE = QUANTUM_SECONDS / 2, QUANTUM_SECONDS
NOBODY: list[Claim] = []

# What this process has ready, how long it has held the slot, who waits here and elsewhere.
TURNS = {
    "nobody else waits": (LATE, DUE, NOBODY, NOBODY, SlotAction.KEEP),
    "equals wait, within the quantum": (LATE, YOUNG, [EARLY], [EARLY], SlotAction.KEEP),
    "a neighbour waits, the quantum is over": (LATE, DUE, [EARLY], NOBODY, SlotAction.HAND_OVER),
    "another machine waits, the quantum is over": (
        LATE,
        DUE,
        NOBODY,
        [EARLY],
        SlotAction.GIVE_BACK,
    ),
    "higher priority waits here": (LATE, YOUNG, [URGENT], NOBODY, SlotAction.HAND_OVER),
    "higher priority waits elsewhere": (LATE, YOUNG, [EARLY], [URGENT], SlotAction.GIVE_BACK),
    "lower priority waits for ever": (URGENT, 100 * DUE, [EARLY], [LATE], SlotAction.KEEP),
    "the longer wait is elsewhere": (LATE, DUE, [LATE], [EARLY], SlotAction.GIVE_BACK),
    "the longer wait is here": (LATE, DUE, [EARLY], [LATE], SlotAction.HAND_OVER),
    "no work, a neighbour waits": (None, YOUNG, [LATE], NOBODY, SlotAction.HAND_OVER),
    "no work, another machine waits": (None, YOUNG, NOBODY, [LATE], SlotAction.GIVE_BACK),
    "no work, nobody waits": (None, DUE, NOBODY, NOBODY, SlotAction.KEEP),
}


@pytest.mark.parametrize("case", TURNS.values(), ids=TURNS)
def test_a_held_slot_goes_to_whom_it_is_due(
    case: tuple[Claim | None, float, list[Claim], list[Claim], SlotAction],
) -> None:
    own, held, neighbours, others, turn = case
    assert next_action(own, held, neighbours, others) is turn


TRIES = {
    "nobody else": (LATE, NOBODY, 0.0, True),
    "who came first": (EARLY, [LATE], 0.0, True),
    "who came later": (LATE, [EARLY], 0.0, False),
    "higher priority, though later": (URGENT, [EARLY, LATE], 0.0, True),
    "lower priority, though first": (EARLY, [URGENT], 0.0, False),
    "left free by those who come first": (EARLY, [URGENT], PRECEDENCE_SECONDS, True),
}


@pytest.mark.parametrize("case", TRIES.values(), ids=TRIES)
def test_a_free_slot_is_left_to_who_comes_first(
    case: tuple[Claim, list[Claim], float, bool],
) -> None:
    own, others, free_seconds, may = case
    assert may_acquire(own, others, free_seconds) is may
