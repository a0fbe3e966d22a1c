"""How long a call of Civitai waits before it is made again."""

import pytest

from storycanvas.catalog.errors import CatalogBusy, CatalogRefused, LongWaitAsked
from tasks.catalog.civitai_api import call_with_retries, wait_seconds

WAITS: dict[str, tuple[float | None, int, float]] = {
    "as Civitai says": (7, 4, 7),
    "not at all": (0, 4, 0),
    "two seconds at first": (None, 0, 2),
    "twice as long each time": (None, 3, 16),
}


@pytest.mark.parametrize("case", WAITS.values(), ids=WAITS)
def test_the_wait_is_what_civitai_says_or_doubles(case: tuple[float | None, int, float]) -> None:
    said, attempt, expected = case

    assert wait_seconds(CatalogBusy("Busy.", said), attempt) == expected


def test_a_wait_longer_than_a_run_takes_is_told_and_not_made() -> None:
    calls = []

    def call() -> None:
        calls.append(1)
        raise CatalogBusy("Busy.", 301)

    with pytest.raises(LongWaitAsked, match="301 s") as raised:
        call_with_retries(call)

    assert len(calls) == 1
    assert not raised.value.retryable


def test_what_is_no_wait_is_not_tried_again() -> None:
    calls = []

    def call() -> None:
        calls.append(1)
        raise CatalogRefused("No.")

    with pytest.raises(CatalogRefused):
        call_with_retries(call)

    assert len(calls) == 1
