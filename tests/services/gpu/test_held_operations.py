"""The slot of an operation: free when the engine has ended, and when the operation is given up."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from storycanvas.faces.errors import OperationCancelled
from storycanvas.faces.operations import EnhanceOperation
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.gpu.guard.dispatcher import Dispatcher, SlotLost
from storycanvas.gpu.guard.limit import Lease
from storycanvas.gpu.guard.settings import GuardSettings
from storycanvas.gpu.guard.slot import hold
from storycanvas.gpu.pool.attempt import HostAttempt, OperationRequest, run_with_failover
from storycanvas.gpu.pool.health import GpuHost
from storycanvas.gpu.pool.pool import HostPool
from tests.support.guard.slots import Threads, new_limit
from tests.support.host.pictures import encoded
from tests.support.host.threaded_host import HeldUp, OpenHost, ThreadedHost

pytestmark = pytest.mark.usefixtures("prefect")


def operation_on(pool: HostPool, key: str) -> None:
    """Do an operation as a step does."""
    request = OperationRequest(
        operation=EnhanceOperation(),
        engine=("gated", "7"),
        bring=lambda client: [client.upload(read_picture(encoded(), "picture"))],
        run="run",
        run_id="none",
        wait_seconds=60.0,
    )

    def attempt(slot: HostAttempt) -> None:
        with slot.held() as (host, assets):
            slot.operate(host, assets, key, lambda: None)

    run_with_failover(pool, request, attempt)


@contextmanager
def pool_of(host: ThreadedHost, limit: str) -> Iterator[HostPool]:
    with HostPool([GpuHost(host.url, limit)]) as pool:
        pool.check()
        pool.status()
        yield pool


@contextmanager
def slot_is_free(limit: str) -> Iterator[None]:
    """Take the slot as another process does."""
    with Dispatcher() as other, other.slot(limit, "another run", 20):
        yield


def test_the_slot_is_free_while_the_result_is_encoded(
    open_host: OpenHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldUp.encoding(monkeypatch)
    host, limit = open_host(), new_limit()
    with pool_of(host, limit) as pool, Threads(1) as threads:
        working = threads.submit(operation_on, pool, "key")
        assert held.entered.wait(30)
        with slot_is_free(limit):
            assert not working.done()
        held.go_on.set()
        working.result(30)


def test_a_stopped_run_gives_its_operations_up_and_begins_no_other(open_host: OpenHost) -> None:
    host, limit = open_host(gated=True), new_limit()
    with pool_of(host, limit) as pool, Threads(1) as threads:
        working = threads.submit(operation_on, pool, "key")
        host.engine.began.get(timeout=30)
        began = time.monotonic()
        pool.cancel_operations()
        with pytest.raises(OperationCancelled):
            working.result(50)
        assert time.monotonic() - began < 50  # usually at once
        with slot_is_free(limit):
            pass
        with pytest.raises(OperationCancelled):
            operation_on(pool, "later")
    assert len(host.engine.calls) == 1


def test_an_operation_whose_slot_is_lost_is_given_up_and_may_be_tried_again(
    open_host: OpenHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[HostAttempt] = []
    begin = HostAttempt.held
    monkeypatch.setattr(HostAttempt, "held", lambda slot: lost.append(slot) or begin(slot))
    host, limit = open_host(gated=True), new_limit()
    with pool_of(host, limit) as pool, Threads(1) as threads:
        working = threads.submit(operation_on, pool, "key")
        host.engine.began.get(timeout=30)
        lost[0]._slot.lost()  # noqa: SLF001 - what the lane calls; a lease lasts a minute
        with pytest.raises(SlotLost, match="has given it up") as refusal:
            working.result(10)
    assert refusal.value.retryable


@pytest.mark.parametrize("renewed", [True, False])
def test_the_holder_is_told_when_the_lease_runs_out(renewed: bool) -> None:
    lease = Lease(uuid4(), time.monotonic(), settings=GuardSettings(lease=0.2))
    released, lost = threading.Event(), threading.Event()
    keeping = threading.Thread(target=hold, args=(lease, released, lost.set))
    keeping.start()
    if renewed:
        lease.asked_at += 60
    assert lost.wait(0.6) is not renewed
    released.set()
    keeping.join(10)
    assert not keeping.is_alive()
