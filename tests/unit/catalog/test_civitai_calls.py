"""Waits between calls of Civitai, and turns of models where few can be looked up at a time."""

import pytest

from storycanvas.catalog.errors import CatalogBusy, CatalogError, CatalogRefused, LongWaitAsked
from tasks.catalog import civitai_api
from tasks.catalog.civitai_api import call_with_retries, wait_seconds
from tasks.catalog.hash_lookup import in_turn

WAITS: dict[str, tuple[float | None, int, float]] = {
    "as Civitai says": (7, 4, 7),
    "not at all": (0, 4, 0),
    "two seconds at first": (None, 0, 2),
    "twice as long each time": (None, 3, 16),
}


@pytest.mark.parametrize("case", WAITS.values(), ids=WAITS)
def test_the_wait_is_civitais_or_doubles(
    case: tuple[float | None, int, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    said, attempt, expected = case
    # Flows that ran before in this process wait less.
    monkeypatch.setattr(civitai_api, "FIRST_WAIT_SECONDS", 2.0)

    assert wait_seconds(CatalogBusy("Busy.", said), attempt) == expected


ENDS: dict[str, tuple[CatalogError, type[CatalogError], str]] = {
    "a longer wait than a run makes": (CatalogBusy("Busy.", 301), LongWaitAsked, "301 s"),
    "an error that no wait ends": (CatalogRefused("No."), CatalogRefused, "No"),
}


@pytest.mark.parametrize(("error", "raised", "text"), ENDS.values(), ids=ENDS)
def test_a_call_that_no_wait_helps_is_made_once(
    error: CatalogError, raised: type[CatalogError], text: str
) -> None:
    calls = []

    def call() -> None:
        calls.append(1)
        raise error

    with pytest.raises(raised, match=text) as caught:
        call_with_retries(call)

    assert len(calls) == 1
    assert not caught.value.retryable


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_values_are_taken_whole(count: int) -> None:
    assert in_turn(range(count), 3, 738_000) == [*range(count)]


@pytest.mark.parametrize("count", [4, 5, 6, 7, 100])
def test_all_have_their_turn_though_none_leaves(count: int) -> None:
    turns = [in_turn(range(count), 3, 738_000 + turn) for turn in range(count)]

    assert {value for some in turns for value in some} == {*range(count)}
    assert {len({*some}) for some in turns} == {3}
