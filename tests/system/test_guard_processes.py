"""The guard among processes: their turns, what a killed one leaves, a restart of the server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.limits import create_limit
from storycanvas.gpu.guard.dispatcher import Dispatcher
from storycanvas.gpu.guard.limit import GpuLimit
from storycanvas.gpu.guard.settings import DEFAULTS
from tests.support.guard.counting_host import CountingHost
from tests.support.guard.processes import OwnPrefect, kill_holder, start_caller
from tests.support.guard.slots import holding, new_limit, taken, waiting_elsewhere
from tests.support.guard.ways import WorkerTask
from tests.support.services import running_prefect
from tests.system.chaos.rounds import Chaos

pytestmark = pytest.mark.usefixtures("prefect")

SERVICE_SECONDS = 0.05


@pytest.fixture
def host() -> Iterator[CountingHost]:
    counting = CountingHost(SERVICE_SECONDS)
    yield counting
    counting.close()


@pytest.fixture
def limit() -> str:
    return new_limit()


def test_processes_never_overlap_and_each_gets_its_turn(
    prefect_url: str, limit: str, host: CountingHost
) -> None:
    tasks = [WorkerTask("guarded", name, 15, [limit], [host.url]) for name in "abc"]
    processes = [start_caller(prefect_url, task) for task in tasks]

    codes = [process.wait(120) for process in processes]

    assert codes == [0, 0, 0]
    assert host.overlaps == 0
    assert sorted(host.callers()) == sorted("abc" * 15)


def test_higher_priority_of_another_process_gets_the_slot_next(
    prefect_url: str, limit: str, host: CountingHost
) -> None:
    with Dispatcher() as guard, holding(guard, limit):
        tasks = [
            WorkerTask("guarded", name, 2, [limit], [host.url], priority=priority)
            for name, priority in (("low", 0), ("high", 5))
        ]
        callers = [start_caller(prefect_url, task) for task in tasks]
        waiting_elsewhere(limit, len(callers))

    assert [process.wait(120) for process in callers] == [0, 0]
    assert host.callers() == ["high", "high", "low", "low"]
    assert host.overlaps == 0


def test_a_slot_goes_from_process_to_process_without_the_server(
    prefect_url: str, limit: str, host: CountingHost
) -> None:
    with Dispatcher() as guard, holding(guard, limit):
        task = WorkerTask("guarded", "next", 1, [limit], [host.url])
        caller = start_caller(prefect_url, task)
        before = taken(limit)
        waiting_elsewhere(limit)
    assert caller.wait(60) == 0

    assert before == 1
    assert host.callers() == ["next"]
    assert taken(limit) == 0


@pytest.fixture(scope="module")
def killed_holder(prefect_url: str) -> str:
    """A limit whose only slot is held by a process that was killed; its lease lasts 60 s."""
    return kill_holder(prefect_url, "gpu:killed-holder")


@pytest.mark.usefixtures("killed_holder")  # whose lease runs out meanwhile
def test_a_lease_outlives_a_restart_of_the_server(
    tmp_path: Path, with_prefect_database: Callable[[Path], Path]
) -> None:
    state = with_prefect_database(tmp_path / "restarted")
    with (
        running_prefect(state) as server,
        temporary_settings({PREFECT_API_URL: server.url}),
        GpuLimit("gpu:kept") as before,
    ):
        create_limit("gpu:kept", 1)
        lease = before.acquire()
    assert lease is not None

    with (
        running_prefect(state, server.record.port) as again,
        temporary_settings({PREFECT_API_URL: again.url}),
        GpuLimit("gpu:kept") as after,
    ):
        after.renew(lease)
        assert after.acquire() is None
        after.release(lease)
        assert after.acquire() is not None


@pytest.mark.timeout(300)
def test_the_slot_of_a_killed_holder_comes_back_with_its_lease(
    prefect_url: str, killed_holder: str
) -> None:
    with (
        temporary_settings({PREFECT_API_URL: prefect_url}),
        Dispatcher() as guard,
        guard.slot(killed_holder, "the next run", 2 * DEFAULTS.lease),
    ):
        pass


@pytest.mark.alone
@pytest.mark.timeout(600)
def test_two_rounds_of_chaos_break_no_claim_of_the_guard(
    tmp_path: Path, with_prefect_database: Callable[[Path], Path]
) -> None:
    """`make chaos` runs twenty."""
    with (
        OwnPrefect(with_prefect_database(tmp_path / "prefect")) as prefect,
        temporary_settings({PREFECT_API_URL: prefect.url}),
    ):
        assert Chaos(prefect, tmp_path, seed=8).run(2, calls=10, kills=2) == []
