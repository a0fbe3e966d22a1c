"""How far a run is, in words: what is done, and how long the rest takes."""

from collections.abc import Mapping

import pytest

from storycanvas.faces.forecasts.progress import (
    WAITING_FOR_GPU,
    Pace,
    StateWords,
    waiting_words,
)

KINDS: dict[object, str] = {"a": "enhance", "b": "enhance", "c": "swap", "d": "swap"}
USUAL: dict[object, float] = dict.fromkeys(KINDS, 10.0)


def pace(usual: Mapping[object, float] = USUAL, slots: int = 1, **took: list[float]) -> Pace:
    return Pace(KINDS, usual.get, took, slots=slots)


def test_before_the_first_step_what_is_usual_is_expected() -> None:
    assert pace().words() == StateWords(message="0 of 4, about 40 s left")


def test_steps_take_as_long_as_those_of_their_kind_in_this_run() -> None:
    begun = pace(enhance=[20.0, 40.0])

    begun.ended("a")

    assert begun.seconds_left() == 30.0 + 10.0 + 10.0
    assert begun.words() == StateWords(message="1 of 4, about 50 s left")


def test_a_step_counts_once() -> None:
    begun = pace()

    begun.ended("a")
    begun.ended("a")

    assert begun.words() == StateWords(message="1 of 4, about 30 s left")


def test_two_slots_take_half_the_time() -> None:
    assert pace(slots=2).seconds_left() == 20.0


def test_no_time_is_written_where_that_of_one_step_is_not_known() -> None:
    assert pace({"a": 4.0, "b": 4.0}).words() == StateWords(message="0 of 4")


@pytest.mark.parametrize(
    ("runs", "seconds", "message"),
    [
        (2, 40.0, "2 before you, about 40 s"),
        (1, None, "1 before you"),
        (0, 0.4, "next in line, under a second"),
        (12, 150.0, "12 before you, about 2 min"),
    ],
)
def test_a_wait_says_how_many_runs_go_first(runs: int, seconds: float | None, message: str) -> None:
    assert waiting_words(runs, seconds) == StateWords(WAITING_FOR_GPU, message)
