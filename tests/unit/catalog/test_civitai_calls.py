"""Waits between calls of Civitai, and turns of models where few can be looked up at a time."""

import pytest

from storycanvas.catalog.errors import CatalogBusy, CatalogRefused, LongWaitAsked
from tasks.catalog.civitai_api import call_with_retries, wait_seconds
from tasks.catalog.hash_lookup import in_turn

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


def test_a_longer_wait_than_a_run_makes_is_an_error() -> None:
    calls = []

    def call() -> None:
        calls.append(1)
        raise CatalogBusy("Busy.", 301)

    with pytest.raises(LongWaitAsked, match="301 s") as raised:
        call_with_retries(call)

    assert len(calls) == 1
    assert not raised.value.retryable


def test_another_error_is_not_tried_again() -> None:
    calls = []

    def call() -> None:
        calls.append(1)
        raise CatalogRefused("No.")

    with pytest.raises(CatalogRefused):
        call_with_retries(call)

    assert len(calls) == 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_values_are_taken_whole(count: int) -> None:
    assert in_turn(range(count), 3, 738_000) == [*range(count)]


@pytest.mark.parametrize("count", [4, 5, 6, 7, 100])
def test_all_have_their_turn_though_none_leaves(count: int) -> None:
    turns = [in_turn(range(count), 3, 738_000 + turn) for turn in range(count)]

    assert {value for some in turns for value in some} == {*range(count)}
    assert {len({*some}) for some in turns} == {3}
