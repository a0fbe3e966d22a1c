"""Where few can be looked for at a time, all have their turn."""

import pytest

from tasks.catalog.hash_lookup import in_turn


@pytest.mark.parametrize("count", [0, 1, 3])
def test_what_is_few_is_taken_whole(count: int) -> None:
    assert in_turn(range(count), 3, 738_000) == [*range(count)]


@pytest.mark.parametrize("count", [4, 5, 6, 7, 100])
def test_all_have_their_turn_though_nobody_leaves(count: int) -> None:
    turns = [in_turn(range(count), 3, 738_000 + turn) for turn in range(count)]

    assert {value for some in turns for value in some} == {*range(count)}
    assert {len({*some}) for some in turns} == {3}
