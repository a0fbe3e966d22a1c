"""The operator sees the holding and waiting runs, and frees a leaked slot."""

import contextvars
import logging
import threading
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.face_host import FaceHost
from blocks.limits import create_limit
from deployments.guard import REFUSED, reset, show
from storycanvas.gpu.guard.dispatcher import Dispatcher, SlotWaitTimedOut, dispatcher
from storycanvas.gpu.guard.limit import GpuLimit
from storycanvas.gpu.guard.queue import SlotRequest
from storycanvas.gpu.guard.settings import GuardSettings
from storycanvas.gpu.guard.status import read_state

pytestmark = pytest.mark.usefixtures("prefect")


@pytest.fixture
def host(host_url: str) -> FaceHost:
    found = FaceHost(url=host_url)
    create_limit(found.limit_name, 1)
    assert read_state(found.limit_name).taken == 0
    return found


def count_without_lease(host: FaceHost) -> None:
    """Leave what a server leaves that dies between counting a slot and writing its lease."""
    with get_client(sync_client=True) as client:
        client.increment_concurrency_slots([host.limit_name], 1, "concurrency")


def release_while_off(host: FaceHost) -> None:
    """Switch the limit off while its slot is held, and on again when it was given back."""
    with GpuLimit(host.limit_name) as limit, get_client(sync_client=True) as client:
        lease = limit.acquire()
        assert lease is not None
        for active in (False, True):
            change = GlobalConcurrencyLimitUpdate(active=active)
            client.update_global_concurrency_limit(host.limit_name, change)
            if not active:
                limit.release(lease)


LEAKS = {
    "the server died before it wrote the lease": count_without_lease,
    "the limit was off at the release": release_while_off,
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_slot_counted_without_a_lease_is_freed(
    leak: Callable[[FaceHost], None], host: FaceHost, capsys: pytest.CaptureFixture[str]
) -> None:
    leak(host)
    show([host])
    assert "1 of 1 slots taken, 1 counted without a living holder" in capsys.readouterr().out

    assert reset(host, watch_seconds=0) == 0

    assert "1 slot(s) counted without a lease; freed" in capsys.readouterr().out
    assert read_state(host.limit_name).taken == 0


def test_a_slot_that_is_held_is_shown_with_its_run_and_not_freed(
    host: FaceHost, capsys: pytest.CaptureFixture[str]
) -> None:
    started, ended = threading.Event(), threading.Event()

    def work() -> None:
        with (
            Dispatcher() as guard,
            guard.slot(host.limit_name, "ages of Mira", 60, run_id="abc", priority=2),
        ):
            started.set()
            ended.wait(60)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,))
    thread.start()
    try:
        assert started.wait(60)
        while not read_state(host.limit_name).holders:
            assert not ended.wait(0.1)
        code = reset(host, watch_seconds=0)
        show([host])
    finally:
        ended.set()
        thread.join()

    output = capsys.readouterr()
    assert code == REFUSED
    assert "held by ages of Mira, which is alive" in output.err
    assert "held by ages of Mira http" in output.out
    assert "runs/flow-run/abc (priority 2) since" in output.out


def steps_shown(host: FaceHost) -> dict[str, int]:
    """How many steps of each run are shown as waiting."""
    notes = read_state(host.limit_name).notes
    return {waiting.run: waiting.steps for note in notes for waiting in note.waiting}


def test_every_run_that_waits_for_a_host_is_shown_with_its_steps(
    host: FaceHost, capsys: pytest.CaptureFixture[str]
) -> None:
    requests = [SlotRequest(run, f"id of {run}") for run in ("Mira", "Mira", "Tom")]

    with Dispatcher() as other, other.slot(host.limit_name, "ages of Zoe", 60):
        for request in requests:
            dispatcher.add_candidate(request, host.limit_name)
        while steps_shown(host) != {"Mira": 2, "Tom": 1}:
            threading.Event().wait(0.1)
        show([host])
        for request in requests:
            dispatcher.release(request)

    output = capsys.readouterr().out
    assert "waiting: 2 steps of Mira" in output
    assert "waiting: 1 step of Tom" in output


@pytest.fixture
def limit(prefect_url: str) -> Iterator[str]:
    name = f"gpu:{uuid4().hex}"
    with temporary_settings({PREFECT_API_URL: prefect_url}):
        create_limit(name, 1)
        yield name


def test_a_waiting_operation_logs_who_holds_the_slot(
    limit: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.INFO, "storycanvas.gpu.guard.dispatcher"),
        Dispatcher() as holder,
        Dispatcher(GuardSettings(log=0.3)) as guard,
        holder.slot(limit, "ages of Mira", 20),
        pytest.raises(SlotWaitTimedOut),
        guard.slot(limit, "another run", 4),
    ):
        pytest.fail("the slot was given twice")

    assert f"Waiting for a slot. '{limit}': held by ages of Mira" in caplog.text
