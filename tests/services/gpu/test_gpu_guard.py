"""The guard: never two operations at once on a slot; and it fails closed."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import ExitStack
from typing import ClassVar

import httpx
import pytest

from blocks.limits import create_limit
from storycanvas.gpu.guard.dispatcher import Dispatcher, SlotWaitTimedOut
from storycanvas.gpu.guard.limit import GpuLimit, GuardClosed, GuardSwitchedOff, LimitState
from storycanvas.gpu.guard.presence import RunInfo
from storycanvas.gpu.guard.settings import GuardSettings
from storycanvas.gpu.guard.slot import GpuSlot
from storycanvas.gpu.guard.status import read_state
from tests.support.guard.counting_host import CountingHost
from tests.support.guard.processes import kill_holder
from tests.support.guard.slots import Threads, change_limit, holding, new_limit, taken

pytestmark = pytest.mark.usefixtures("prefect")

SERVICE_SECONDS = 0.05

MakeHost = Callable[[], CountingHost]


@pytest.fixture
def make_host() -> Iterator[MakeHost]:
    with ExitStack() as undo:

        def make() -> CountingHost:
            host = CountingHost(SERVICE_SECONDS)
            undo.callback(host.close)
            return host

        yield make


@pytest.fixture
def limit() -> str:
    return new_limit()


@pytest.fixture
def guard() -> Iterator[Dispatcher]:
    with Dispatcher() as opened:
        yield opened


def test_threads_of_one_process_never_overlap(
    guard: Dispatcher, limit: str, make_host: MakeHost
) -> None:
    host = make_host()

    def call(number: int) -> None:
        with guard.slot(limit, "run", 60):
            httpx.post(f"{host.url}/{number}")

    with Threads(max_workers=20) as pool:
        list(pool.map(call, range(20)))

    assert host.overlaps == 0
    assert len(host.callers()) == 20


def test_as_many_run_at_once_as_the_limit_has_slots(guard: Dispatcher, limit: str) -> None:
    change_limit(limit, limit=2)
    pair = threading.Barrier(2)
    most = 0

    def call(_: int) -> None:
        nonlocal most
        with guard.slot(limit, "run", 60, slots=2):
            pair.wait(60)  # ends only when two hold a slot
            most = max(most, taken(limit))

    with Threads(max_workers=4) as pool:
        list(pool.map(call, range(4)))

    assert most == 2


def test_first_come_is_first_served(guard: Dispatcher, limit: str) -> None:
    order = []
    queued = threading.Event()

    def call(number: int) -> None:
        with guard.slot(limit, "run", 60):
            order.append(number)

    with Threads(max_workers=5) as pool, holding(guard, limit):
        for number in range(5):
            pool.submit(call, number)
            queued.wait(0.02)

    assert order == list(range(5))


def test_the_slot_comes_back_after_the_work(limit: str) -> None:
    with Dispatcher() as guard, guard.slot(limit, "run", 60):
        assert taken(limit) == 1

    assert taken(limit) == 0


def test_a_waiter_gives_up_at_its_deadline_and_names_the_holder(
    guard: Dispatcher, limit: str
) -> None:
    message = f"came free in 3 s: '{limit}': held by ages of Mira"
    with (
        Dispatcher() as other,
        holding(other, limit, "ages of Mira"),
    ):
        while not read_state(limit).holders:
            threading.Event().wait(0.05)
        with (
            pytest.raises(SlotWaitTimedOut, match=message),
            guard.slot(limit, "another run", 3),
        ):
            pytest.fail("the slot was given twice")


def test_a_waiting_operation_logs_who_holds_the_slot(
    limit: str, caplog: pytest.LogCaptureFixture
) -> None:
    message = f"Waiting for a slot. '{limit}': held by ages of Mira"

    def wait_for_slot(guard: Dispatcher) -> None:
        with guard.slot(limit, "another run", 60):
            pass

    with (
        caplog.at_level(logging.INFO, "storycanvas.gpu.guard.dispatcher"),
        Dispatcher() as other,
        Dispatcher(GuardSettings(log=0.3)) as guard,
        Threads() as pool,
        holding(other, limit, "ages of Mira"),
    ):
        pool.submit(wait_for_slot, guard)
        while message not in caplog.text:
            threading.Event().wait(0.05)
        threading.Event().wait(1)  # three times the interval
        assert caplog.text.count(message) == 1


BAD_STATES = [({"active": False}, "switched off"), ({"limit": 0}, "is 0")]


@pytest.mark.parametrize(("change", "sentence"), BAD_STATES)
def test_a_limit_that_does_not_guard_lets_nothing_through(
    guard: Dispatcher, limit: str, change: dict[str, object], sentence: str
) -> None:
    change_limit(limit, **change)

    with pytest.raises(GuardClosed, match=sentence), guard.slot(limit, "run", 60):
        pytest.fail("it ran unguarded")


def test_a_missing_limit_lets_nothing_through_and_names_the_command(guard: Dispatcher) -> None:
    message = r"'gpu:nowhere' does not exist.*storycanvas register --limits-only"
    with pytest.raises(GuardClosed, match=message), guard.slot("gpu:nowhere", "run", 60):
        pytest.fail("it ran unguarded")


def test_a_limit_switched_off_while_work_waits_stops_the_waiting_work(
    guard: Dispatcher, limit: str
) -> None:
    with Threads() as pool, Dispatcher() as other, holding(other, limit):
        waiting = pool.submit(lambda: guard.slot(limit, "run", 60).__enter__())
        change_limit(limit, active=False)
        with pytest.raises(GuardClosed, match="switched off"):
            waiting.result()


class SwitchedOffMeanwhile(GpuLimit):
    """A limit that the operator switches off between the taking of a slot and the look at it."""

    def read(self) -> LimitState:
        change_limit(self.name, active=False)
        return super().read()


def test_a_slot_taken_while_the_limit_is_switched_off_comes_with_the_refusal(limit: str) -> None:
    with SwitchedOffMeanwhile(limit) as taking, pytest.raises(GuardSwitchedOff) as refusal:
        taking.acquire(taken=0)
    change_limit(limit, active=True)

    assert taken(limit) == 1
    assert refusal.value.lease is not None
    with GpuLimit(limit) as giving:
        giving.release(refusal.value.lease)
    assert taken(limit) == 0


def test_a_lease_of_a_limit_that_was_off_already_is_no_slot(limit: str) -> None:
    change_limit(limit, active=False)

    with GpuLimit(limit) as off, pytest.raises(GuardSwitchedOff) as refusal:
        off.acquire(taken=0)

    assert refusal.value.lease is None
    assert taken(limit) == 0


def one_waits() -> list[RunInfo]:
    return [RunInfo(run="run", since=0.0)]


def test_a_slot_handed_to_a_refused_process_comes_back_when_the_limit_is_on(limit: str) -> None:
    with GpuLimit(limit) as first, GpuLimit(limit) as other, Threads() as pool:
        giver, taker = GpuSlot(first, one_waits, 1), GpuSlot(other, one_waits, 2)
        assert giver.take(lambda: True)
        turns = iter([True])

        def wanted() -> bool:
            if next(turns, False):
                return True
            change_limit(limit, active=False)
            giver.give_back()
            raise GuardClosed("It is off.")

        with pytest.raises(GuardClosed):
            taker.take(wanted)
        leaving = pool.submit(taker.close, lambda: False)
        assert wait([leaving], 1).not_done
        change_limit(limit, active=True)
        leaving.result(60)
        giver.close(lambda: False)

    assert taken(limit) == 0


def test_no_new_operation_starts_on_a_lease_that_the_server_has_forgotten(limit: str) -> None:
    with GpuLimit(limit) as first, GpuLimit(limit) as other:
        lease = first.acquire()
        assert lease is not None
        first.release(lease)

        with pytest.raises(httpx.HTTPStatusError):
            first.renew(lease)
        assert other.acquire() is not None


def test_a_limit_can_be_created_twice_and_keeps_what_the_operator_set(limit: str) -> None:
    change_limit(limit, limit=3)

    assert create_limit(limit, 1) is False
    with GpuLimit(limit) as guarded:
        assert guarded.read().slots == 3


def test_a_killed_holder_keeps_its_slot_until_its_lease_runs_out(prefect_url: str) -> None:
    assert taken(kill_holder(prefect_url, "gpu:just-killed")) == 1


class Stumbling(GpuLimit):
    """A limit over a connection that fails once in an unforeseen way."""

    stumbles: ClassVar[list[Exception]] = []

    def read(self) -> LimitState:
        if self.stumbles:
            raise self.stumbles.pop()
        self._reads += 1
        return super().read()

    _reads = 0


def test_a_slot_taken_but_not_confirmed_is_given_back_at_once(limit: str) -> None:
    Stumbling.stumbles.append(httpx.ReadTimeout("too slow"))

    with Stumbling(limit) as stumbling, pytest.raises(httpx.ReadTimeout):
        stumbling.acquire()

    assert taken(limit) == 0


def test_a_renewal_that_fails_in_an_unforeseen_way_ends_no_lane(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the client has been closed")

    monkeypatch.setattr(GpuLimit, "renew", fail)

    with Dispatcher(GuardSettings(renew=0.0, renew_again=0.01)) as guard:
        for _ in range(3):
            with guard.slot(limit, "run", 60):
                assert taken(limit) == 1

    assert taken(limit) == 0


def test_higher_priority_passes_what_waits_in_a_process(guard: Dispatcher, limit: str) -> None:
    order = []

    def call(number: int) -> None:
        with guard.slot(limit, "run", 60, priority=number % 2):
            order.append(number)

    with Threads(max_workers=6) as pool, holding(guard, limit):
        for number in range(6):
            pool.submit(call, number)
            while len(guard.waiting(limit)) <= number:
                threading.Event().wait(0.01)

    assert order == [1, 3, 5, 0, 2, 4]


def test_a_slot_held_while_the_limit_is_off_comes_back_when_it_is_on_again(
    limit: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Dispatcher() as guard, Dispatcher() as other:
        with guard.slot(limit, "run", 60):
            change_limit(limit, active=False)
            while "switched off" not in caplog.text:
                threading.Event().wait(0.05)
        with pytest.raises(GuardClosed), guard.slot(limit, "run", 60):
            pytest.fail("it ran unguarded")
        assert taken(limit) == 1

        change_limit(limit, active=True)

        with other.slot(limit, "another", 60):
            assert taken(limit) == 1
