"""Two runs of the same thing at the same time, in two processes, do it once."""

from tests.support.flows.started_run import start_run
from tests.support.flows.world import CHARACTER, World


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
