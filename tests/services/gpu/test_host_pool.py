"""A step waits at all hosts that can do it, and takes the slot that comes free first."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from blocks.face_host import FaceHost
from blocks.limits import create_limit
from deployments.sample import PORTRAIT
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.errors import HostUnreachable
from storycanvas.faces.operations import DetectOperation
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.gpu.guard.dispatcher import Dispatcher, SlotWaitTimedOut, dispatcher
from storycanvas.gpu.guard.limit import GuardClosed
from storycanvas.gpu.guard.status import read_state
from storycanvas.gpu.pool.attempt import HostAttempt, OperationRequest, run_with_failover
from storycanvas.gpu.pool.health import MonitoredHost
from storycanvas.gpu.pool.pool import HostPool
from storycanvas.services import face_host as local
from storycanvas.services.shared import Lease, acquire
from tests.support.guard.slots import Threads, change_limit, holding, taken

pytestmark = pytest.mark.usefixtures("prefect")

WORK_SECONDS = 0.02


@pytest.fixture(scope="module")
def leases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Lease]]:
    folder = tmp_path_factory.mktemp("hosts")
    with ExitStack() as undo:
        yield [
            undo.enter_context(acquire(local.FaceHost(), folder / name)) for name in ("one", "two")
        ]


@pytest.fixture
def pool(leases: list[Lease]) -> Iterator[HostPool]:
    blocks = [FaceHost(url=lease.url) for lease in leases]
    for block in blocks:
        create_limit(block.limit_name, 1)
    with HostPool([block.gpu_host for block in blocks]) as pool:
        pool.check()
        pool.status()
        yield pool
    for block in blocks:
        change_limit(block.limit_name, active=True)
    # A slot that a lane still holds would be given to the next test without asking the server.
    wait_until(lambda: not any(taken(block.limit_name) for block in blocks))


def request_of(
    run: str = "run",
    *,
    priority: int = 0,
    wait_seconds: float = 60.0,
    key: str | None = None,
) -> OperationRequest:
    return OperationRequest(
        operation=DetectOperation(),
        engine=("preview", "3"),
        bring=lambda _: [],
        run=run,
        run_id="none",
        wait_seconds=wait_seconds,
        priority=priority,
        key=key,
    )


def host_of(slot: HostAttempt) -> str:
    with slot.held() as (host, _):
        return host.name


@contextmanager
def held_elsewhere(limit: str) -> Iterator[Callable[[], None]]:
    """Hold a host's slot as another process does, until the yielded function is called."""
    with Dispatcher() as other, holding(other, limit, "another run") as stop:
        yield stop


def wait_until(fulfilled: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not fulfilled():
        assert time.monotonic() < deadline, "this did not happen"
        time.sleep(0.01)


def test_hosts_work_side_by_side_and_none_gets_two_at_once(pool: HostPool) -> None:
    now: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock, both = threading.Lock(), threading.Barrier(2)

    def work(slot: HostAttempt) -> None:
        with slot.held() as (host, _):
            with lock:
                is_first = host.name not in most
                now[host.name] += 1
                most[host.name] = max(most[host.name], now[host.name])
            if is_first:
                both.wait(60)  # ends only when both hosts work
            time.sleep(WORK_SECONDS)  # the work itself
            with lock:
                now[host.name] -= 1

    with Threads(8) as threads:
        for future in [
            threads.submit(run_with_failover, pool, request_of(), work) for _ in range(40)
        ]:
            future.result()

    assert most == dict.fromkeys(pool.hosts, 1)


def test_a_step_goes_to_the_host_that_is_free(pool: HostPool) -> None:
    busy, free = pool.hosts.values()

    with held_elsewhere(busy.limit_name):
        assert run_with_failover(pool, request_of(), host_of) == free.name


def test_a_step_that_waits_takes_the_slot_that_comes_first_and_leaves_the_other_limit(
    pool: HostPool,
) -> None:
    first, second = pool.hosts.values()

    with (
        held_elsewhere(first.limit_name),
        held_elsewhere(second.limit_name) as stop_kept,
        Threads() as threads,
    ):
        waiting = threads.submit(run_with_failover, pool, request_of(), host_of)
        stop_kept()
        assert waiting.result() == second.name
        assert dispatcher.waiting(first.limit_name) == []

    wait_until(lambda: taken(first.limit_name) + taken(second.limit_name) == 0)


def test_work_of_higher_priority_passes_work_that_waits(pool: HostPool) -> None:
    first, second = pool.hosts.values()
    order: list[str] = []

    def work(slot: HostAttempt) -> None:
        with slot.held():
            order.append(slot.request.run)

    with (
        held_elsewhere(first.limit_name) as stop_kept,
        held_elsewhere(second.limit_name),
        Threads() as threads,
    ):
        low = threads.submit(run_with_failover, pool, request_of("low"), work)
        high = threads.submit(run_with_failover, pool, request_of("high", priority=5), work)
        wait_until(lambda: len(dispatcher.waiting(first.limit_name)) == 2)
        stop_kept()
        low.result()
        high.result()

    assert order == ["high", "low"]


def test_a_step_gives_up_at_its_deadline_and_names_the_holders(pool: HostPool) -> None:
    first, second = pool.hosts.values()

    with held_elsewhere(first.limit_name), held_elsewhere(second.limit_name):
        wait_until(lambda: all(read_state(host.limit_name).holders for host in (first, second)))
        with pytest.raises(SlotWaitTimedOut, match=r"No slot came free in 4 s: .*another run"):
            run_with_failover(pool, request_of(wait_seconds=4.0), host_of)


def test_a_host_whose_limit_is_switched_off_gets_no_work(pool: HostPool) -> None:
    off, on = pool.hosts.values()
    change_limit(off.limit_name, active=False)

    assert {run_with_failover(pool, request_of(), host_of) for _ in range(3)} == {on.name}


def test_with_every_limit_switched_off_nothing_is_let_through(pool: HostPool) -> None:
    for host in pool.hosts.values():
        change_limit(host.limit_name, active=False)

    with pytest.raises(GuardClosed, match="switched off"):
        run_with_failover(pool, request_of(), host_of)


def test_a_step_that_fails_on_every_host_fails_with_the_newest_error(pool: HostPool) -> None:
    tried = []

    def work(slot: HostAttempt) -> None:
        with slot.held() as (host, _):
            tried.append(host.name)
            raise HostUnreachable(f"{host.name} is away")

    with pytest.raises(HostUnreachable, match="is away"):
        run_with_failover(pool, request_of(), work)

    assert sorted(tried) == sorted(pool.hosts)


def test_a_host_that_is_away_is_left_out_and_comes_back_by_itself(tmp_path: Path) -> None:
    state = tmp_path / "mortal"
    with (
        acquire(local.FaceHost(), state) as lease,
        MonitoredHost(FaceHost(url=lease.url).gpu_host) as host,
    ):
        host.check()
        assert host.snapshot.healthy
        process = psutil.Process(lease.record.identity.pid)
        process.kill()
        process.wait()
        host.check()
        assert not host.snapshot.healthy
        host.watch()
        with acquire(local.FaceHost(preferred_port=lease.record.port), state) as again:
            assert again.url == lease.url
            wait_until(lambda: host.snapshot.healthy)


def test_a_run_that_is_broken_off_leaves_only_when_its_slots_are_given_back(
    pool: HostPool, leases: list[Lease]
) -> None:
    # Prefect ends such a process at once, without what is registered for its exit.
    used: list[str] = []

    def broken_off() -> None:
        with HostPool([FaceHost(url=lease.url).gpu_host for lease in leases]) as own:
            own.status()
            used.append(run_with_failover(own, request_of(), host_of))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()

    assert len(used) == 1
    assert sum(taken(host.limit_name) for host in pool.hosts.values()) == 0


@pytest.mark.parametrize("number", [0, 1])
def test_what_a_killed_run_has_begun_goes_to_the_same_host(
    pool: HostPool, leases: list[Lease], number: int
) -> None:
    key = f"begun-{number}"
    with FaceHostClient(leases[number].url) as client:
        asset = client.upload(read_picture(PORTRAIT.read_bytes(), "portrait"))
        client.operate(DetectOperation(), [asset], key)

    hosts = {run_with_failover(pool, request_of(key=key), host_of) for _ in range(4)}

    assert hosts == {leases[number].url}
