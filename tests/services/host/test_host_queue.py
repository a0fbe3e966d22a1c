import asyncio
from functools import partial

import pytest

from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.faces.errors import HostNotReady
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.pictures_made import encoded
from tests.support.host.threaded_host import OpenHost, code, wait_until


def begun() -> None:
    """Nobody waits for the beginning here."""


@pytest.mark.parametrize("slots", [1, 2])
def test_never_more_operations_run_than_there_are_slots(open_host: OpenHost, slots: int) -> None:
    engine = GatedEngine(gated=True)
    host = open_host(engine, slots=slots)
    picture = host.upload(encoded())
    answers = [host.age_meanwhile(picture, age) for age in range(8)]
    wait_until(lambda: host.status()["busy"] == slots and host.status()["queued"] == 8 - slots)
    engine.let_through(8)
    assert [answer.result().status_code for answer in answers] == [200] * 8
    assert engine.most_at_once == slots
    assert host.status() | {"operations": 8, "busy": 0, "queued": 0} == host.status()


def test_one_more_than_the_queue_holds_is_sent_away_for_now(open_host: OpenHost) -> None:
    engine = GatedEngine(gated=True)
    host = open_host(engine, queue=2)
    picture = host.upload(encoded())
    answers = [host.age_meanwhile(picture, age) for age in range(3)]
    wait_until(lambda: host.status()["busy"] == 1 and host.status()["queued"] == 2)
    refused = host.age(picture, 99)
    engine.let_through(3)
    assert code(refused) == (429, "queue_full")
    assert refused.json()["error"]["retryable"] is True
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert {answer.result().status_code for answer in answers} == {200}


def test_a_refused_operation_gives_its_place_back(open_host: OpenHost) -> None:
    host = open_host(GatedEngine(), queue=0)
    assert code(host.age("nowhere")) == (400, "bad_field")
    assert host.age(host.upload(encoded())).status_code == 200


def test_those_who_wait_go_in_the_order_of_their_arrival() -> None:
    order: list[int] = []

    async def arrive_then_get_ready_in_reverse() -> None:
        queue = WorkQueue(slots=1, queue=8, operation_seconds=60)
        with queue.place() as first, queue.place() as second, queue.place() as third:
            holder = asyncio.ensure_future(queue.run(first, partial(order.append, 1), begun))
            waiting = [
                asyncio.ensure_future(queue.run(ticket, partial(order.append, turn), begun))
                for ticket, turn in ((third, 3), (second, 2))
            ]
            await asyncio.gather(holder, *waiting)

    asyncio.run(arrive_then_get_ready_in_reverse())
    assert order == [1, 2, 3]


def test_an_operation_that_takes_too_long_is_given_up_but_keeps_its_slot(
    open_host: OpenHost,
) -> None:
    engine = GatedEngine(gated=True)
    host = open_host(engine, operation_seconds=0.05)
    answer = host.age(host.upload(encoded()))
    assert code(answer) == (504, "timed_out")
    assert answer.json()["error"]["retryable"] is True
    assert host.status()["busy"] == 1


def test_while_the_engine_hangs_nothing_new_is_taken_on(open_host: OpenHost) -> None:
    engine = GatedEngine(gated=True)
    host = open_host(engine, operation_seconds=0.05)
    picture = host.upload(encoded())
    waiting = [host.age_meanwhile(picture, age) for age in (1, 2)]
    wait_until(lambda: host.status()["status"] == "failed")
    assert sorted(code(answer.result()) for answer in waiting) == [
        (503, "not_ready"),
        (504, "timed_out"),
    ]
    refused = host.age(picture)
    assert code(refused) == (503, "not_ready")
    assert int(refused.headers["retry-after"]) > 0
    engine.let_through()
    wait_until(lambda: host.status()["status"] == "ok")
    assert len(engine.calls) == 1


def test_a_stop_turns_away_who_waits_and_lets_the_running_one_end() -> None:
    async def stop_while_two_wait() -> list[object]:
        queue = WorkQueue(slots=1, queue=8, operation_seconds=60)
        with queue.place() as first, queue.place() as second:
            runs = [
                asyncio.ensure_future(queue.run(ticket, lambda: "done", begun))
                for ticket in (first, second)
            ]
            await asyncio.sleep(0)
            queue.stop()
            return list(await asyncio.gather(*runs, return_exceptions=True))

    done, refused = asyncio.run(stop_while_two_wait())
    assert done == "done"
    assert isinstance(refused, HostNotReady)
