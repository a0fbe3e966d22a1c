"""Two runs of the same thing at the same time, in two processes, do it once."""

import os
import subprocess
import sys

from world import CHARACTER, World

RUN = (
    "import sys; from flows.age_progression import age_progression; "
    "print(age_progression(sys.argv[1], ages=[40, 50]).summary())"
)


def start(prefect_url: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PREFECT_API_URL": prefect_url, "PREFECT_LOGGING_LEVEL": "ERROR"}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, CHARACTER], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_two_runs_at_once_share_the_work_and_the_entries(world: World, prefect_url: str) -> None:
    operations = world.host.status().operations
    runs = [start(prefect_url) for _ in range(2)]

    said = [run.communicate(timeout=120)[0] for run in runs]

    history = world.character()["facefusion_processing_history"]
    assert [run.returncode for run in runs] == [0, 0]
    assert all(line.startswith("4 steps:") for line in said)
    assert world.host.status().operations == operations + 5  # detect, two ages, two enhancements
    assert len(history) == 4
    assert world.database["facefusion_operations"].count_documents({}) == 5
