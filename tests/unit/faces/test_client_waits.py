"""What the client makes of time: how long it waits for what."""

from datetime import UTC, datetime

import pytest

from storycanvas.faces.client.errors import MAX_RETRY_AFTER, retry_after
from storycanvas.faces.client.retries import ANSWER_SECONDS, OPERATION_SECONDS, Retries, Timeouts
from storycanvas.faces.errors import FaceError, HostFull, NoFace
from storycanvas.faces.operations import OPERATIONS

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
]


@pytest.mark.parametrize(
    ("headers", "seconds"), RETRY_AFTER, ids=[str(number) for number in range(len(RETRY_AFTER))]
)
def test_a_wish_for_time_is_seconds_or_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, NOW) == seconds


def full(wish: float | None = None) -> HostFull:
    error = HostFull("So.")
    error.retry_after = wish
    return error


WAITS: dict[str, tuple[FaceError, int, float, tuple[float, float] | None]] = {
    "first": (full(), 1, 0, (0.5, 1)),
    "second": (full(), 2, 0, (1, 2)),
    "third": (full(), 3, 0, (1.5, 3)),
    "last": (full(), 4, 0, None),
    "as asked": (full(4), 1, 0, (4, 4)),
    "at once": (full(0), 3, 0, (0, 0)),
    "asked too much": (full(11), 1, 0, None),
    "just in time": (full(4), 1, 6, (4, 4)),
    "too late": (full(4), 1, 6.1, None),
    "patience is at its end": (full(), 2, 10, None),
    "final": (NoFace("So."), 1, 0, None),
}


@pytest.mark.parametrize(("error", "failures", "spent", "range_"), WAITS.values(), ids=WAITS)
def test_a_wait_grows_within_its_bounds(
    error: FaceError, failures: int, spent: float, range_: tuple[float, float] | None
) -> None:
    retries = Retries(tries=4, first_wait=1.0, longest_wait=3.0, patience=10.0)

    wait = retries.wait_after(error, failures, spent)

    assert (wait is None) == (range_ is None)
    assert wait is None or range_ is None or range_[0] <= wait <= range_[1]


def test_the_waits_of_a_call_stay_far_below_those_of_a_task() -> None:
    assert Retries().patience <= 5


@pytest.mark.parametrize("path", [operation.path for operation in OPERATIONS])
def test_every_operation_has_a_longest_wait(path: str) -> None:
    looks = path in {"detect-faces", "mask-face"}

    assert (ANSWER_SECONDS[path] < OPERATION_SECONDS) == looks


def test_an_unknown_path_waits_as_long_as_an_operation() -> None:
    assert Timeouts(answers={}).answer("of-a-newer-host") == OPERATION_SECONDS
