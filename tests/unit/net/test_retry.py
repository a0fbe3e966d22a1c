"""When a call is repeated, and how long a server asks to be left alone."""

import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import stamina

from storycanvas.faces.errors import FaceError, HostFull, NoFace
from storycanvas.net.retry import MAX_RETRY_AFTER, RetryPolicy, read_retry_after

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
LATER = "Sat, 21 Nov 2026 12:00:07 GMT"
RETRY_AFTER: list[tuple[dict[str, str], float | None]] = [
    ({}, None),
    ({"Retry-After": "7"}, 7),
    ({"Retry-After": " 7 "}, 7),
    ({"Retry-After": "0"}, 0),
    ({"Retry-After": "-7"}, None),
    ({"Retry-After": "7.5"}, None),
    ({"Retry-After": "soon"}, None),
    ({"Retry-After": "\N{ARABIC-INDIC DIGIT SEVEN}"}, None),
    ({"Retry-After": "9" * 5000}, MAX_RETRY_AFTER),
    ({"Retry-After": LATER}, 7),
    ({"Retry-After": LATER.replace("GMT", "-0000")}, 7),
    ({"Retry-After": LATER, "Date": "Sat, 21 Nov 2026 12:00:05 GMT"}, 2),
    ({"Retry-After": LATER, "Date": "today"}, 7),
    ({"Retry-After": LATER, "Date": "Sat, 21 Nov 2026 13:00:00 GMT"}, 0),
    ({"Retry-After": "Sat, 21 Nov 9999 12:00:00 GMT"}, MAX_RETRY_AFTER),
    ({"Retry-After": ""}, None),
    ({"Retry-After": "\N{SUPERSCRIPT TWO}"}, None),
    ({"Retry-After": "Fri, 99 Jan 2026 03:05:05 GMT"}, None),
    ({"Retry-After": f"Fri, 02 Jan 2026 03:05:05 +{'9' * 20}"}, None),
    ({"Retry-After": f"Fri, 02 Jan 2026 {'9' * 20}:05:05 GMT"}, None),
]


@pytest.mark.parametrize(
    ("headers", "seconds"), RETRY_AFTER, ids=[str(number) for number in range(len(RETRY_AFTER))]
)
def test_a_wish_for_time_is_seconds_or_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert read_retry_after(headers, NOW) == seconds


def full(wish: float | None = None) -> HostFull:
    error = HostFull("So.")
    error.retry_after = wish
    return error


WAITS: dict[str, tuple[FaceError, int, float, float | bool]] = {
    "first": (full(), 1, 0, True),
    "third": (full(), 3, 0, True),
    "as asked": (full(4), 1, 0, 4),
    "at once": (full(0), 3, 0, 0),
    "asked too much": (full(11), 1, 0, False),
    "just in time": (full(4), 1, 6, 4),
    "too late": (full(4), 1, 6.1, False),
    "patience is at its end": (full(), 2, 10, False),
    "final": (NoFace("So."), 1, 0, False),
}


@pytest.mark.parametrize(("error", "failures", "spent", "wait"), WAITS.values(), ids=WAITS)
def test_a_retry_waits_as_asked_and_within_the_patience(
    error: FaceError, failures: int, spent: float, wait: float | bool
) -> None:
    policy = RetryPolicy(tries=4, first_wait=1.0, longest_wait=3.0, patience=10.0)

    decided = policy.wait_after(error, failures, spent)

    assert (decided, type(decided) is bool) == (wait, type(wait) is bool)


def test_the_waits_of_a_call_grow_within_their_bounds() -> None:
    policy = RetryPolicy(first_wait=0.02, longest_wait=0.05)
    begun: list[float] = []

    def fail(_: float) -> None:
        begun.append(time.monotonic())
        raise full()

    with stamina.set_testing(False), pytest.raises(HostFull):
        policy.call(fail, 1.0)

    waits = [later - earlier for earlier, later in pairwise(begun)]
    assert len(waits) == 3
    assert all(wait >= least for wait, least in zip(waits, (0.02, 0.04, 0.05), strict=True))


def test_the_waits_of_a_call_stay_far_below_those_of_a_task() -> None:
    assert RetryPolicy().patience <= 5
    assert RetryPolicy().tries <= 4
