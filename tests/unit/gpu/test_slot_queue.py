"""The order in which the requests of a process get slots. One queue, several limits."""

import pytest

from storycanvas.gpu.guard.queue import SlotQueue, SlotRequest


@pytest.fixture
def queue() -> SlotQueue:
    return SlotQueue()


def add(queue: SlotQueue, run: str, limits: str, priority: int = 0) -> SlotRequest:
    request = SlotRequest(run, priority=priority)
    for limit in limits:
        assert queue.add_candidate(request, limit)
    return request


def waiting(queue: SlotQueue, limit: str) -> list[str]:
    return [info.run for info in queue.waiting(limit)]


def test_first_come_is_first_served_among_the_requests_that_name_a_limit(queue: SlotQueue) -> None:
    for run, limits in (("first", "a"), ("second", "ab"), ("third", "b")):
        add(queue, run, limits)

    assert waiting(queue, "a") == ["first", "second"]
    assert waiting(queue, "b") == ["second", "third"]


def test_higher_priority_goes_first(queue: SlotQueue) -> None:
    add(queue, "first", "a")
    add(queue, "second", "a", priority=5)
    add(queue, "third", "a", priority=5)

    assert waiting(queue, "a") == ["second", "third", "first"]


def test_a_lower_number_goes_first_so_a_second_attempt_keeps_its_place(queue: SlotQueue) -> None:
    first = SlotRequest("first")
    add(queue, "second", "a")
    queue.add_candidate(SlotRequest("first again", number=first.number), "a")

    assert waiting(queue, "a") == ["first again", "second"]


def test_a_request_gets_one_slot_and_leaves_the_other_limits(queue: SlotQueue) -> None:
    request = add(queue, "run", "ab")

    assert queue.take("b") is request
    assert request.limit == "b"
    assert request.answered.is_set()
    assert not queue.is_wanted("a")
    assert queue.take("a") is None
    assert not queue.add_candidate(request, "a")


def test_a_limit_that_is_no_candidate_any_more_gives_nothing(queue: SlotQueue) -> None:
    request = add(queue, "run", "ab")
    queue.remove_candidate(request, "a")

    assert queue.take("a") is None
    assert queue.take("b") is request


def test_a_released_request_waits_nowhere(queue: SlotQueue) -> None:
    request = add(queue, "run", "a")
    queue.release(request)

    assert queue.take("a") is None
    assert not queue.add_candidate(request, "a")


def test_a_limit_that_refuses_leaves_requests_to_the_others(queue: SlotQueue) -> None:
    both, only = add(queue, "both", "ab"), add(queue, "only", "a")
    error = RuntimeError("switched off")

    queue.refuse("a", error)

    assert both.refused == only.refused == {"a": error}
    assert both.answered.is_set()
    assert waiting(queue, "a") == []
    assert waiting(queue, "b") == ["both"]


def test_a_closed_queue_gives_nothing_out(queue: SlotQueue) -> None:
    add(queue, "run", "a")
    queue.close()

    assert queue.take("a") is None
    assert waiting(queue, "a") == []
