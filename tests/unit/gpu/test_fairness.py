"""Whose turn it is on a GPU host, and when its slot is surely held."""

import time
from uuid import uuid4

import pytest

from storycanvas.gpu.guard.fairness import (
    Claim,
    SlotAction,
    may_acquire,
    next_action,
)
from storycanvas.gpu.guard.limit import Lease
from storycanvas.gpu.guard.settings import DEFAULTS

EARLY, LATE = Claim(0, 100.0), Claim(0, 200.0)
URGENT = Claim(5, 300.0)
YOUNG, DUE = DEFAULTS.quantum / 2, DEFAULTS.quantum
NO_CLAIMS: list[Claim] = []

# What this process has ready, how long it has held the slot, who waits here and elsewhere.
TURNS = {
    "no other process waits": (LATE, DUE, NO_CLAIMS, NO_CLAIMS, SlotAction.KEEP),
    "equals wait, within the quantum": (LATE, YOUNG, [EARLY], [EARLY], SlotAction.KEEP),
    "a peer waits, the quantum is over": (LATE, DUE, [EARLY], NO_CLAIMS, SlotAction.HAND_OVER),
    "another machine waits, the quantum is over": (
        LATE,
        DUE,
        NO_CLAIMS,
        [EARLY],
        SlotAction.GIVE_BACK,
    ),
    "higher priority waits here": (LATE, YOUNG, [URGENT], NO_CLAIMS, SlotAction.HAND_OVER),
    "higher priority waits elsewhere": (LATE, YOUNG, [EARLY], [URGENT], SlotAction.GIVE_BACK),
    "lower priority waits very long": (URGENT, 100 * DUE, [EARLY], [LATE], SlotAction.KEEP),
    "the longer wait is elsewhere": (LATE, DUE, [LATE], [EARLY], SlotAction.GIVE_BACK),
    "the longer wait is here": (LATE, DUE, [EARLY], [LATE], SlotAction.HAND_OVER),
    "no work, a peer waits": (None, YOUNG, [LATE], NO_CLAIMS, SlotAction.HAND_OVER),
    "no work, another machine waits": (None, YOUNG, NO_CLAIMS, [LATE], SlotAction.GIVE_BACK),
    "no work, no process waits": (None, DUE, NO_CLAIMS, NO_CLAIMS, SlotAction.KEEP),
}


@pytest.mark.parametrize("case", TURNS.values(), ids=TURNS)
def test_a_held_slot_goes_to_the_process_whose_turn_it_is(
    case: tuple[Claim | None, float, list[Claim], list[Claim], SlotAction],
) -> None:
    own, held, peers, others, turn = case
    assert next_action(own, held, peers, others) is turn


TRIES = {
    "no other process": (LATE, NO_CLAIMS, 0.0, True),
    "the first to come": (EARLY, [LATE], 0.0, True),
    "the later to come": (LATE, [EARLY], 0.0, False),
    "higher priority, though later": (URGENT, [EARLY, LATE], 0.0, True),
    "lower priority, though first": (EARLY, [URGENT], 0.0, False),
    "left free by those who come first": (EARLY, [URGENT], DEFAULTS.precedence, True),
}


@pytest.mark.parametrize("case", TRIES.values(), ids=TRIES)
def test_a_free_slot_is_left_to_the_claim_that_comes_first(
    case: tuple[Claim, list[Claim], float, bool],
) -> None:
    own, others, free_seconds, may = case
    assert may_acquire(own, others, free_seconds) is may


# Seconds since it was asked for; since a renewal failed; whether it holds; when it is asked again.
LEASES = {
    "new": (0.0, None, True, DEFAULTS.renew),
    "a renewal is due": (DEFAULTS.renew, None, True, 0.0),
    "a renewal failed": (DEFAULTS.renew, 0.0, False, DEFAULTS.renew_again),
    "it failed a while ago": (30.0, DEFAULTS.renew_again, False, 0.0),
    "it ran out": (DEFAULTS.lease, None, False, DEFAULTS.renew - DEFAULTS.lease),
}


@pytest.mark.parametrize("case", LEASES.values(), ids=LEASES)
def test_a_slot_is_sure_only_on_a_lease_that_runs_and_was_renewed(
    case: tuple[float, float | None, bool, float],
) -> None:
    asked, failed, sure, renewal_in = case
    now = time.monotonic()
    lease = Lease(uuid4(), now - asked, failed_at=None if failed is None else now - failed)

    assert lease.sure is sure
    assert lease.renew_at - now == pytest.approx(renewal_in)
