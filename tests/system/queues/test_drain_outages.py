"""What a drain needs goes away and comes back: no attempt is lost, and no job fails."""

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate

from db.connection import connect
from storycanvas.host.engines.preview import PreviewEngine
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import Lease, acquire
from tests.support.flows.fixtures import open_world
from tests.support.flows.hosts import SLOW_SECONDS, OddHost, kill
from tests.support.flows.jobs import (
    all_jobs,
    drained,
    insert_jobs,
    stored_portrait,
    wait_for_job,
)
from tests.support.flows.world import World

pytestmark = pytest.mark.timeout(170)

JOBS = 4
POLL_SECONDS = 0.2
AWAY_SECONDS = 3.0
DONE = [("completed", 1)] * JOBS


def insert_slow_jobs(world: World) -> None:
    portrait = stored_portrait(world)
    insert_jobs(
        world,
        *(
            {
                "job_type": "enhance",
                "input_data": {"image_url": portrait, "face_enhancer_blend": number / 10},
            }
            for number in range(1, JOBS + 1)
        ),
    )


def ends(world: World) -> list[tuple[str, int]]:
    return [(job["status"], job["attempts"]) for job in all_jobs(world)]


@contextmanager
def in_the_middle(world: World, disturb: Callable[[], None]) -> Iterator[None]:
    """Disturb a drain while a host works for it; what it gives back is due again at once."""
    ended = threading.Event()
    again = {"$set": {"not_before": None}}

    def run() -> None:
        wait_for_job(world, status="processing", total_operations=1)
        time.sleep(SLOW_SECONDS / 2)
        disturb()
        while not ended.wait(POLL_SECONDS):
            world.database["facefusion_jobs"].update_many({"status": "queued"}, again)

    # Prefect's settings, and so its server, belong to the context.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture(scope="module")
def slow_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lease]:
    with acquire(OddHost("slow"), tmp_path_factory.mktemp("host")) as lease:
        yield lease


def test_a_host_that_dies_and_is_back_with_another_engine_costs_no_attempt(
    world: World, tmp_path: Path, own_host: Callable[[str], str]
) -> None:
    insert_slow_jobs(world)
    with ExitStack() as hosts:
        mortal = hosts.enter_context(acquire(OddHost("slow"), tmp_path / "mortal"))
        own_host(mortal.url)

        def replace() -> None:
            kill(mortal)
            wait_for_job(world, status="queued", error_code="unreachable")
            other = OddHost("slow other-version", preferred_port=mortal.record.port)
            hosts.enter_context(acquire(other, tmp_path / "other"))

        with in_the_middle(world, replace):
            drained()

    assert ends(world) == DONE
    recorded = world.database["facefusion_operations"].distinct("engine_version")
    assert f"{PreviewEngine().version}.1" in recorded


def test_a_limit_that_is_switched_off_for_a_while_costs_no_attempt(
    world: World, slow_host: Lease, own_host: Callable[[str], str]
) -> None:
    insert_slow_jobs(world)
    limit = own_host(slow_host.url)

    def switch() -> None:
        _set_active(limit, active=False)
        time.sleep(AWAY_SECONDS)
        _set_active(limit, active=True)

    with in_the_middle(world, switch):
        drained()

    assert ends(world) == DONE


def test_a_database_that_is_restarted_costs_no_attempt(
    tmp_path: Path,
    slow_host: Lease,
    urls: dict[str, str],
    own_host: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "mongod"
    with ExitStack() as servers:
        first = servers.enter_context(acquire(Mongod(), folder))
        again = Mongod(preferred_port=first.record.port)
        own = urls | {"MONGO_URL": f"{first.url}&serverSelectionTimeoutMS=500"}
        database = connect(own["MONGO_URL"], "story")
        servers.callback(database.client.close)
        with open_world(tmp_path, database, own, monkeypatch) as world:
            own_host(slow_host.url)
            insert_slow_jobs(world)

            def restart() -> None:
                first.release()
                time.sleep(AWAY_SECONDS)
                servers.enter_context(acquire(again, folder))

            with in_the_middle(world, restart):
                drained()

            assert ends(world) == DONE


def _set_active(limit: str, *, active: bool) -> None:
    with get_client(sync_client=True) as client:
        client.update_global_concurrency_limit(limit, GlobalConcurrencyLimitUpdate(active=active))
