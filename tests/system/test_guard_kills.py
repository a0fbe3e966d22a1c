"""The guard when its processes are killed and Prefect's server is restarted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.limits import create_limit
from storycanvas.gpu.guard.dispatcher import Dispatcher
from storycanvas.gpu.guard.limit import GpuLimit
from storycanvas.gpu.guard.settings import DEFAULTS
from tests.support.guard.processes import OwnPrefect, kill_holder
from tests.support.services import running_prefect
from tests.system.chaos.rounds import Chaos


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
