"""Runs beside other runs: they share what is done, and wait with a priority."""

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.face_host import FaceHost
from storycanvas.gpu.guard.dispatcher import Dispatcher
from tests.support.flows.runs import start_run
from tests.support.flows.world import CHARACTER, World
from tests.support.guard.slots import waiting_elsewhere

pytestmark = pytest.mark.usefixtures("read_after_processes")


def test_a_waiting_run_is_shown_with_its_name_and_the_priority_it_was_started_with(
    world: World, prefect_url: str
) -> None:
    limit = FaceHost(url=world.host.url).limit_name
    with (
        temporary_settings({PREFECT_API_URL: prefect_url}),
        Dispatcher() as guard,
        guard.slot(limit, "another run", 60),
    ):
        run = start_run(prefect_url, character_id=CHARACTER, ages=[40], enhance=None, priority=7)
        (note,) = waiting_elsewhere(limit)
        (waiting,) = note.waiting

    output = run.communicate(timeout=120)[0]

    assert note.process == run.pid
    assert (waiting.run, waiting.priority) == ("age-progression · Mira · 40", 7)
    assert waiting.run_id
    assert run.returncode == 0
    assert "1 done" in output


def test_two_runs_at_once_share_the_work_and_the_entries(world: World, prefect_url: str) -> None:
    operations = world.host.status().operations
    runs = [start_run(prefect_url, character_id=CHARACTER, ages=[40, 50]) for _ in range(2)]

    outputs = [run.communicate(timeout=120)[0] for run in runs]

    history = world.character()["facefusion_processing_history"]
    assert [run.returncode for run in runs] == [0, 0]
    assert all(line.startswith("4 steps:") for line in outputs)
    assert world.host.status().operations == operations + 5  # detect, two ages, two enhancements
    assert len(history) == 4
    assert world.database["facefusion_operations"].count_documents({}) == 5
