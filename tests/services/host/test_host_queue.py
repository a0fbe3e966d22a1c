import asyncio
import contextlib
import gc
import time
import weakref
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple

import httpx
import pytest

from storycanvas.faces.errors import HostFull, HostNotReady
from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.operations.work_queue import PIXELS_AHEAD, WorkQueue
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.pictures import encoded
from tests.support.host.started_host import wait_until
from tests.support.host.submitting import submitted, until
from tests.support.host.threaded_host import OpenHost, ThreadedHost, code


def begun() -> None:
    """Ignore the start of the engine."""


@pytest.mark.parametrize("slots", [1, 2])
def test_never_more_operations_run_than_there_are_slots(open_host: OpenHost, slots: int) -> None:
    host = open_host(gated=True, slots=slots)
    picture = host.upload(encoded())
    answers = [host.age_meanwhile(picture, age) for age in range(8)]
    wait_until(lambda: host.status()["busy"] == slots and host.status()["queued"] == 8 - slots)
    host.engine.let_through(8)
    assert [answer.result().status_code for answer in answers] == [200] * 8
    assert host.engine.most_at_once == slots
    assert host.status() | {"operations": 8, "busy": 0, "queued": 0} == host.status()


class ForgettingEngine(GatedEngine):
    """Keeps no picture once a call has ended."""

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        result = super().run(operation, pictures)
        self.pictures.clear()
        return result


def decoded() -> int:
    gc.collect()  # what has ended may lie in a cycle
    return sum(type(found) is Picture for found in gc.get_objects())  # others may be dead proxies


class Pixels:
    """What an engine gives back."""


def test_pixels_of_a_result_are_freed_with_their_last_user_and_not_with_a_search_for_cycles() -> (
    None
):
    async def is_freed() -> bool:
        queue = WorkQueue(slots=1, queue=1, operation_seconds=60)
        with queue.place() as ticket:
            given = weakref.ref(await queue.run(ticket, Pixels, begun))
        await asyncio.sleep(0.05)  # for the thread to end
        return given() is None

    gc.disable()
    try:
        assert asyncio.run(is_freed())
    finally:
        gc.enable()


@pytest.mark.parametrize("slots", [1, 2])
def test_pictures_are_decoded_of_at_most_one_operation_more_than_slots_ahead(
    open_host: OpenHost, slots: int
) -> None:
    before = decoded()
    host = open_host(ForgettingEngine(gated=True), slots=slots, queue=20)
    picture = host.upload(encoded())
    operations, ahead = 12, slots + 1
    taken = [submitted(host, picture, age) for age in range(operations)]
    for done in range(operations - slots - ahead):
        wait_until(lambda done=done: phases(host) == Counter(
            engine=slots, ready=ahead, queued=operations - done - slots - ahead
        ))  # fmt: skip
        assert decoded() - before <= slots + ahead + len(["the one that was used last"])
        host.engine.let_through()
        wait_until(lambda done=done: host.status()["operations"] == done + 1)
    host.engine.let_through(operations)
    assert {until(host, each.id, "succeeded").state for each in taken} == {"succeeded"}


def test_fewer_operations_are_decoded_ahead_where_their_pictures_are_large() -> None:
    async def decoded_after(leaves: int) -> list[int]:
        queue = WorkQueue(slots=1, queue=8, operation_seconds=60)
        with contextlib.ExitStack() as places:
            tickets = [places.enter_context(queue.place()) for _ in LARGE_THEN_SMALL]
            turns = [
                asyncio.ensure_future(queue.turn_to_decode(ticket, pixels))
                for ticket, pixels in zip(tickets, LARGE_THEN_SMALL, strict=True)
            ]
            await asyncio.sleep(0)
            for ticket in tickets[:leaves]:
                await queue.run(ticket, begun, begun)
                await asyncio.sleep(0)
            places.callback(lambda: [turn.cancel() for turn in turns])
            return [number for number, turn in enumerate(turns) if turn.done()]

    after = [asyncio.run(decoded_after(leaves)) for leaves in range(4)]
    assert after == [[0], [0, 1], [0, 1, 2, 3], [0, 1, 2, 3]]


LARGE_THEN_SMALL = (PIXELS_AHEAD + 1, PIXELS_AHEAD, PIXELS_AHEAD // 2, PIXELS_AHEAD // 2)
"""The first is larger than all that may be ahead; the last two fit together."""


def phases(host: ThreadedHost) -> Counter[str]:
    listed = host.client.get("operations").json()["operations"]
    return Counter(operation["phase"] for operation in listed if "phase" in operation)


def test_an_operation_beyond_the_queue_is_refused_for_now(open_host: OpenHost) -> None:
    host = open_host(gated=True, queue=2)
    picture = host.upload(encoded())
    answers = [host.age_meanwhile(picture, age) for age in range(3)]
    wait_until(lambda: host.status()["busy"] == 1 and host.status()["queued"] == 2)
    refused = host.age(picture, 99)
    host.engine.let_through(3)
    assert code(refused) == (429, "queue_full")
    assert refused.json()["error"]["retryable"] is True
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert {answer.result().status_code for answer in answers} == {200}


@pytest.mark.parametrize(("slots", "seconds"), [(1, 10), (2, 5)])
def test_the_time_to_come_back_is_that_of_the_queue_by_the_mean_time_on_all_slots(
    slots: int, seconds: int
) -> None:
    places = 28

    async def refused() -> HostFull:
        queue = WorkQueue(slots, places - slots, operation_seconds=60)
        for _ in range(5):  # at once, so that of the first second 0.8 to the power of 5 is left
            with queue.place() as ticket:
                await queue.run(ticket, begun, begun)
        with contextlib.ExitStack() as taken:
            for _ in range(places):
                taken.enter_context(queue.place())
            with pytest.raises(HostFull) as refusal:
                taken.enter_context(queue.place())
        return refusal.value

    assert asyncio.run(refused()).retry_after == seconds


def test_a_refused_operation_gives_its_place_back(open_host: OpenHost) -> None:
    host = open_host(queue=0)
    assert code(host.age("nowhere")) == (400, "bad_field")
    assert host.age(host.upload(encoded())).status_code == 200


def test_waiting_operations_start_in_the_order_of_their_arrival() -> None:
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


def test_an_operation_that_takes_too_long_times_out_and_keeps_its_slot(
    open_host: OpenHost,
) -> None:
    host = open_host(gated=True, operation_seconds=0.05)
    answer = host.age(host.upload(encoded()))
    assert code(answer) == (504, "timed_out")
    assert answer.json()["error"]["retryable"] is True
    assert host.status()["busy"] == 1


def test_while_the_engine_hangs_new_operations_are_refused(open_host: OpenHost) -> None:
    host = open_host(gated=True, operation_seconds=0.05)
    picture = host.upload(encoded())
    waiting = [host.age_meanwhile(picture, age) for age in (1, 2)]
    wait_until(lambda: host.status()["status"] == "failed")
    codes = sorted(code(answer.result()) for answer in waiting)
    assert codes == [(503, "not_ready"), (504, "timed_out")]
    refused = host.age(picture)
    assert code(refused) == (503, "not_ready")
    assert int(refused.headers["retry-after"]) > 0
    host.engine.let_through()
    wait_until(lambda: host.status()["status"] == "ok")
    assert len(host.engine.calls) == 1


def test_the_time_of_operations_does_not_pass_while_the_engine_loads(open_host: OpenHost) -> None:
    host = open_host(gated=True, operation_seconds=0.4)
    host.engine.readiness = "starting"
    picture = host.upload(encoded())
    taken = [submitted(host, picture, age, f"key-{age}") for age in (1, 2)]
    waiting = host.age_meanwhile(picture, 1, "key-1")
    host.engine.began.get(timeout=30)
    time.sleep(0.7)  # the load takes longer than an operation may
    assert host.status()["status"] == "starting"
    host.engine.readiness = "ok"
    time.sleep(0.2)  # what is left of 0.4 s from here on is the operation's own
    host.engine.let_through(2)
    assert {until(host, each.id, "succeeded").state for each in taken} == {"succeeded"}
    assert waiting.result().status_code == 200


def test_a_stop_refuses_waiting_operations_and_lets_the_running_operation_end() -> None:
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


def is_closed(host: ThreadedHost) -> bool:
    try:
        httpx.get(f"{host.url}/api/v1/status")
    except httpx.TransportError:
        return True
    return False


class Stopping(NamedTuple):
    host: ThreadedHost
    picture: str
    running: Future[httpx.Response]


def stopping(open_host: OpenHost) -> Stopping:
    """A host that stops while an operation runs."""
    host = open_host(gated=True)
    picture = host.upload(encoded())
    running = host.age_meanwhile(picture, key="running")
    host.engine.began.get(timeout=30)
    host.stop()
    wait_until(lambda: host.status()["status"] == "stopping")
    return Stopping(host, picture, running)


def test_a_request_during_a_stop_is_refused_with_a_time_to_come_back(open_host: OpenHost) -> None:
    host, picture, _ = stopping(open_host)
    refused = [
        host.age(picture),
        host.client.post("assets", content=encoded(colour="blue")),
        host.client.post("assets", files={"file": encoded(colour="blue")}),
    ]
    assert [code(answer) for answer in refused] == [(503, "not_ready")] * 3
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert len(list((host.data_dir / "assets").iterdir())) == 1


def test_a_stopping_host_still_sends_its_pictures(open_host: OpenHost) -> None:
    host, picture, _ = stopping(open_host)
    assert host.client.get(f"assets/{picture}").content == encoded()


def test_a_running_operation_can_be_joined_while_its_host_stops(open_host: OpenHost) -> None:
    host, picture, running = stopping(open_host)
    joined = host.age_meanwhile(picture, key="running")
    host.engine.let_through()
    assert joined.result().content == running.result().content


def test_a_host_closes_once_the_last_operation_has_ended(open_host: OpenHost) -> None:
    host, _, running = stopping(open_host)
    assert not is_closed(host)
    host.engine.let_through()
    assert running.result().status_code == 200
    wait_until(lambda: is_closed(host))


def test_a_stop_does_not_wait_longer_than_its_time(open_host: OpenHost) -> None:
    host = open_host(gated=True, stop_seconds=0.2)
    host.age_meanwhile(host.upload(encoded()))
    host.engine.began.get(timeout=30)
    host.stop()
    wait_until(lambda: is_closed(host))
