"""A run that is killed while the host works for it leaves nothing to be done twice."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.gpu.guard.status import read_state
from storycanvas.services.face_host import FaceHost
from storycanvas.services.shared import acquire
from tests.support.flows.hosts import after_operations
from tests.support.flows.runs import start_run
from tests.support.flows.world import CHARACTER, World

pytestmark = pytest.mark.usefixtures("read_after_processes")

AGES = [35, 40, 45, 50]
OPERATIONS = 1 + len(AGES)
"""The look at the picture, and each age."""


@pytest.mark.timeout(240)
def test_the_next_run_gets_the_slot_and_repeats_no_operation_that_the_host_has_done(
    world: World, tmp_path: Path, own_host: Callable[[str], str], prefect_url: str
) -> None:
    with (
        acquire(FaceHost(), tmp_path / "own") as host,
        temporary_settings({PREFECT_API_URL: prefect_url}),
    ):
        limit = own_host(host.url)
        asked = {"character_id": CHARACTER, "ages": AGES, "enhance": None}
        killed = start_run(prefect_url, **asked)
        after_operations(host.url, 3, killed.kill).join()
        killed.communicate(timeout=60)
        assert killed.returncode == -signal.SIGKILL
        assert read_state(limit).taken == 1

        run = start_run(prefect_url, **asked)
        said = run.communicate(timeout=200)[0]

        state = read_state(limit)
        with FaceHostClient(host.url) as asked_host:
            done_by_host = asked_host.status().operations

    recorded = world.database["facefusion_operations"].count_documents({})
    assert (run.returncode, state.taken) == (0, 0)
    assert f"{len(AGES)} steps" in said
    assert recorded == done_by_host == OPERATIONS
    assert len(world.character()["facefusion_processing_history"]) == len(AGES)


@pytest.mark.timeout(300)
def test_a_run_for_many_characters_that_is_killed_goes_on_where_it_was(
    world: World, tmp_path: Path, own_host: Callable[[str], str], prefect_url: str, target: str
) -> None:
    people = ["ann", "ben", CHARACTER]
    world.database["characters"].insert_many(
        {"id": name, "name": name, "project_id": "p", "reference_images": [target]}
        for name in people[:2]
    )
    with (
        acquire(FaceHost(), tmp_path / "own") as host,
        temporary_settings({PREFECT_API_URL: prefect_url}),
    ):
        own_host(host.url)
        parameters = {"ages": AGES, "enhance": "none"}
        asked = {"characters": people, "parameters": parameters}
        killed = start_run(prefect_url, "for-characters", **asked)
        after_operations(host.url, 5, killed.kill).join()
        killed.communicate(timeout=60)
        assert killed.returncode == -signal.SIGKILL

        run = start_run(prefect_url, "for-characters", **asked)
        said = run.communicate(timeout=250)[0]

        with FaceHostClient(host.url) as asked_host:
            done_by_host = asked_host.status().operations

    recorded = world.database["facefusion_operations"].count_documents({})
    assert (run.returncode, said.strip()) == (0, "3 characters: 3 done.")
    # Two of them have the same picture, so that what is made for one is reused for the other.
    assert recorded == done_by_host == 2 * OPERATIONS
    histories = [
        len(character["facefusion_processing_history"])
        for character in world.database["characters"].find()
    ]
    assert histories == [len(AGES)] * 3
