"""Whose turn it is among the steps of a process, and how often a guard is asked."""

import pytest

from storycanvas.gpu.guard.queue import SlotRequest, asking_priority, in_turn


def wish(name: str, *limits: str, priority: int = 0) -> SlotRequest:
    return SlotRequest(name, priority=priority, limits=set(limits))


def test_first_come_is_first_served_where_the_host_can_do_it() -> None:
    wishes = [wish("one", "a"), wish("two", "a", "b"), wish("three", "b")]

    assert [found.run for found in in_turn(wishes, "a")] == ["one", "two"]
    assert [found.run for found in in_turn(wishes, "b")] == ["two", "three"]


def test_higher_priority_goes_first() -> None:
    wishes = [wish("one", "a"), wish("two", "a", priority=5), wish("three", "a", priority=5)]

    assert [found.run for found in in_turn(wishes, "a")] == ["two", "three", "one"]


ASKING = [
    ([], [], 1, None),
    ([0], [], 1, 0),
    ([0, 0], [0], 1, None),
    ([0, 0], [0], 2, 0),
    ([0], [0], 2, None),
    ([0, 7], [0], 1, 7),
    ([0, 7], [0, 7], 1, None),
    ([0, -3], [], 1, 0),
]


@pytest.mark.parametrize(("waiting", "asked", "slots", "priority"), ASKING, ids=range(len(ASKING)))
def test_a_guard_is_asked_once_a_slot_and_for_the_highest_priority(
    waiting: list[int], asked: list[int], slots: int, priority: int | None
) -> None:
    assert asking_priority(waiting, asked, slots) == priority
