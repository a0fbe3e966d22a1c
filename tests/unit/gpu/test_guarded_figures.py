"""The figures and claims of the guard's benchmark."""

import pytest

from tests.support.guard.cases import CASES, Case, Figures, broken_claims
from tests.support.guard.counting_host import Served
from tests.support.guard.figures import busy, calls_a_second, longest_wait, repeated, use_after
from tests.support.guard.tally import Tally, broken, summary

TWO_CALLS = [Served("a/0", 10.0, 11.0), Served("b/0", 13.0, 14.0)]
FAMILY = {"a": "a", "a+": "a", "b": "b"}


def test_busy_and_rate_count_from_the_first_start_to_the_last_end() -> None:
    assert busy(TWO_CALLS) == calls_a_second(TWO_CALLS) == 0.5
    assert busy(TWO_CALLS, hosts=2) == 0.25


WAITS = [
    ("before the first call", [Served("a/0", 4.0, 5.0)], 4.0),
    ("between two calls", [Served("a/0", 0.0, 1.0), Served("a/1", 7.0, 8.0)], 6.0),
    ("not while others wait", [Served("a/0", 0.0, 1.0), Served("b/0", 1.0, 9.0)], 1.0),
    ("noted out of order", [Served("a/1", 3.0, 4.0), Served("a/0", 0.0, 1.0)], 2.0),
]


@pytest.mark.parametrize(("served", "wait"), [w[1:] for w in WAITS], ids=[w[0] for w in WAITS])
def test_the_longest_wait_is_found(served: list[Served], wait: float) -> None:
    assert longest_wait(served, 0.0) == wait


def test_a_call_made_again_by_the_next_of_a_family_counts_for_the_one_that_was_killed() -> None:
    served = [Served("a/0", 0.0, 1.0), Served("b/0", 1.0, 2.0), Served("a+/0", 2.0, 3.0)]

    assert repeated(served, FAMILY) == {"a": 1}


def test_the_same_call_of_another_family_is_no_repetition() -> None:
    assert repeated(TWO_CALLS, FAMILY) == {}


USES = [
    ("the holder was killed", "a", 10.5, (10.5, 13.0)),
    ("another was killed", "b", 10.5, None),
    ("no call follows", "b", 13.5, None),
    ("no call precedes", "a", 9.0, None),
]


@pytest.mark.parametrize(
    ("killed", "moment", "used"), [use[1:] for use in USES], ids=[use[0] for use in USES]
)
def test_the_next_use_after_a_holder_was_killed_is_found(
    killed: str, moment: float, used: tuple[float, float] | None
) -> None:
    assert use_after(TWO_CALLS, killed, moment) == used


GOOD = Figures(busy=1.0, wait=0.0, rate=1.0, overlaps=0)
CLAIMS = [
    ("all hold", GOOD, 4.0, []),
    ("an idle slot", Figures(0.9, 0.0, 1.0, 0), 4.0, ["busy below 97.0%"]),
    ("a long wait", Figures(1.0, 15.5, 1.0, 0), 4.0, ["waited over 15 s"]),
    ("little gain", GOOD, 3.0, ["gain below 3.7"]),
    ("an overlap", Figures(1.0, 0.0, 1.0, 1), 4.0, ["calls overlapped"]),
]


@pytest.mark.parametrize(
    ("figures", "gain", "broken"), [c[1:] for c in CLAIMS], ids=[c[0] for c in CLAIMS]
)
def test_a_claim_that_does_not_hold_is_named(
    figures: Figures, gain: float, broken: list[str]
) -> None:
    claims = Case("all claims", "guarded", 3, 4, (0.97, 0.995), 15.0, 3.7)

    assert list(broken_claims(claims, figures, short=True, gain=gain)) == broken


def test_nothing_is_claimed_of_what_stands_beside_the_guard() -> None:
    poor = Figures(busy=0.1, wait=900.0, rate=0.1, overlaps=9)
    beside = [case for case in CASES if not case.is_ours]

    assert beside
    for case in beside:
        assert list(broken_claims(case, poor, short=False, gain=0.1)) == []


BROKEN = [
    ("nothing", Tally(unused=[61.0], most_repeated=1, disturbed=[70.0]), []),
    ("an overlap", Tally(overlaps=1), ["calls overlapped"]),
    ("two calls again", Tally(most_repeated=2), ["a kill repeated more than one call"]),
    ("a slot unused", Tally(unused=[3.0, 61.5]), ["a slot lay unused for over 61 s"]),
    ("a process failed", Tally(failed=1), ["processes failed"]),
]


@pytest.mark.parametrize(("tally", "named"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_what_kills_break_is_named(tally: Tally, named: list[str]) -> None:
    assert broken(tally) == named
    assert ("All claims hold." in summary(tally)) is (not named)
