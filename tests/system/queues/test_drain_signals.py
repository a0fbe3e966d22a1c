"""A drain that is stopped and goes on, and one that is told to end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from pymongo import monitoring
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from blocks.face_host import FaceHost
from db.queues.queue import JOBS
from storycanvas.gpu.guard.status import read_state
from storycanvas.services.shared import acquire
from tests.support.flows.hosts import SLOW_SECONDS, OddHost
from tests.support.flows.jobs import (
    all_jobs,
    drained,
    insert_jobs,
    let_leases_end,
    stored_portrait,
    the_job,
    wait_for_job,
)
from tests.support.flows.runs import start_run
from tests.support.flows.world import CHARACTER, World

pytestmark = [pytest.mark.usefixtures("read_after_processes"), pytest.mark.timeout(150)]

PAST = datetime(2026, 1, 1, tzinfo=UTC)
WORKERS_GRACE = 30.0
"""Seconds after which Prefect's worker kills a run that it stops."""
HISTORY = "facefusion_processing_history"


class InterruptedClaim(CommandListener):
    """Interrupts this process when a claim was answered, before anything knows of it.

    PyMongo gives it to each client that is made later, and has no way to take it back.
    """

    armed = False

    def succeeded(self, event: CommandSucceededEvent) -> None:
        if self.armed and event.command_name == "findAndModify":
            self.armed = False
            os.kill(os.getpid(), signal.SIGINT)

    def started(self, event: CommandStartedEvent) -> None:
        """Go on."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Go on."""


@pytest.fixture
def interrupted_claim() -> Iterator[None]:
    listener = InterruptedClaim()
    monitoring.register(listener)
    listener.armed = True
    yield
    assert not listener.armed


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Two slow hosts."""
    with ExitStack() as undo:
        folders = [tmp_path_factory.mktemp("host") for _ in range(2)]
        yield [undo.enter_context(acquire(OddHost("slow"), folder)).url for folder in folders]


@contextmanager
def drain(prefect_url: str, **parameters: object) -> Iterator[subprocess.Popen[str]]:
    """A drain as a process of its own."""
    process = start_run(prefect_url, "process-jobs", **{"wait_seconds": 0, **parameters})
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def enhance_jobs(world: World, count: int) -> None:
    portrait = stored_portrait(world)
    insert_jobs(
        world,
        *(
            {
                "job_type": "enhance",
                "character_id": CHARACTER,
                "input_data": {"image_url": portrait, "face_enhancer_blend": number / 100},
            }
            for number in range(count)
        ),
    )


def test_a_drain_that_slept_writes_nothing_to_a_job_that_another_has_taken(
    world: World, prefect_url: str, hosts: list[str], own_farm: Callable[[list[str]], None]
) -> None:
    own_farm(hosts)
    enhance_jobs(world, 1)
    with (
        temporary_settings({PREFECT_API_URL: prefect_url}),
        drain(prefect_url, max_jobs=1) as sleeper,
    ):
        wait_for_job(world, status="processing", total_operations=1)
        time.sleep(SLOW_SECONDS / 2)  # the host works on it
        sleeper.send_signal(signal.SIGSTOP)
        let_leases_end(world, JOBS)  # as if it slept for longer than its lease
        report = drained(max_jobs=1)
        ended = the_job(world)

        sleeper.send_signal(signal.SIGCONT)
        said = sleeper.communicate(timeout=60)[0]

    assert report.counts == {"completed": 1}
    assert (ended["status"], ended["attempts"]) == ("completed", 2)
    assert "1 cancelled" in said
    assert the_job(world) == ended
    assert len(world.character()[HISTORY]) == 1


def test_a_drain_that_is_told_to_end_gives_its_jobs_back_at_once(
    world: World, prefect_url: str, hosts: list[str], own_farm: Callable[[list[str]], None]
) -> None:
    own_farm(hosts)
    enhance_jobs(world, 24)  # so many that some wait, however late the signal comes
    with (
        temporary_settings({PREFECT_API_URL: prefect_url}),
        drain(prefect_url, run_minutes=5) as process,
    ):
        wait_for_job(world, status="completed")
        process.terminate()
        asked = time.monotonic()
        process.communicate(timeout=60)
        seconds = time.monotonic() - asked
        taken = [read_state(FaceHost(url=url).limit_name).taken for url in hosts]

    jobs = all_jobs(world)
    back = [job for job in jobs if job["status"] != "completed"]
    assert seconds < WORKERS_GRACE
    assert back
    for job in back:
        assert (job["status"], job.get("attempts", 0), job.get("claim_token")) == (
            "queued",
            0,
            None,
        )
        assert job.get("not_before") is None
    assert taken == [0, 0]
    recorded = world.database["facefusion_operations"].count_documents({})
    assert len(world.character()[HISTORY]) == recorded


@pytest.mark.usefixtures("interrupted_claim")
def test_what_is_being_claimed_when_the_drain_is_told_to_end_is_given_back(world: World) -> None:
    enhance_jobs(world, 1)

    with pytest.raises(KeyboardInterrupt):
        drained()

    job = the_job(world)
    # What the host had done by then is not thrown away.
    assert (job["status"], job["attempts"]) in {("queued", 0), ("completed", 1)}
    assert job["claim_token"] is None
