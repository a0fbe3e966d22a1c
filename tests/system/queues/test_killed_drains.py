"""Drains that are killed: every job ends, and none of its results is made or shown twice."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from storycanvas.services.shared import acquire
from tests.support.flows.hosts import OddHost
from tests.support.flows.jobs import insert_jobs, stored_portrait
from tests.support.flows.queue_chaos import jobs_of_all_types, kill_drains, outcome
from tests.support.flows.runs import start_run
from tests.support.flows.world import CHARACTER, World

JOBS, DRAINS, KILLS, SEED = 40, 2, 3, 18
END_SECONDS = 240.0
"""A killed drain's jobs wait for the end of their leases, 60 s, and are looked for each 30 s."""


@pytest.mark.usefixtures("read_after_processes")
@pytest.mark.timeout(360)
def test_jobs_of_killed_drains_end_and_no_operation_is_done_twice(
    world: World, tmp_path: Path, prefect_url: str, own_farm: Callable[[list[str]], None]
) -> None:
    world.database["characters"].insert_one({"id": "nora", "name": "Nora", "project_id": "p"})
    pictures = [stored_portrait(world, f"portrait{number}") for number in range(5)]
    insert_jobs(world, *jobs_of_all_types(pictures, [CHARACTER, "nora"], JOBS))
    with ExitStack() as undo:
        undo.enter_context(temporary_settings({PREFECT_API_URL: prefect_url}))
        hosts = [
            undo.enter_context(acquire(OddHost("slow"), tmp_path / f"host{number}")).url
            for number in range(2)
        ]
        own_farm(hosts)

        ended = kill_drains(
            world.database,
            lambda: start_run(prefect_url, "process-jobs", run_minutes=10, wait_seconds=None),
            drains=DRAINS,
            kills=KILLS,
            seed=SEED,
            seconds=END_SECONDS,
        )
        found = outcome(world.database, hosts)

    assert (ended, found.faults) == (True, ())
    assert sum(found.statuses.values()) == JOBS
    assert found.operations == found.recorded > JOBS
