"""The demo, as `make demo` runs it: twice in one place, with nothing named by the environment."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from blocks.environment import Environment
from deployments.cli import STATE_DIR
from flows.age_progression import DEFAULT_AGES

pytestmark = pytest.mark.timeout(900)

STEP = re.compile(r"^  (.+): (done|reused) in \d+\.\d\d s", re.MULTILINE)
SHEET = re.compile(r"^  contact sheet: (.+)$", re.MULTILINE)
AGES = [step for age in DEFAULT_AGES for step in (f"age {age}", f"enhance age {age}")]
SWAP = ["enhance source", "swap", "enhance result"]

Runs = tuple[subprocess.CompletedProcess[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, with_prefect_database: Callable[[Path], Path]
) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    with_prefect_database(folder / STATE_DIR)
    return folder


@pytest.fixture(scope="module")
def runs(place: Path) -> Runs:
    """The demo, and the demo again."""
    return demo(place), demo(place)


def demo(place: Path) -> subprocess.CompletedProcess[str]:
    named = {name.upper() for name in Environment.model_fields}
    environment = {name: value for name, value in os.environ.items() if name not in named}
    return subprocess.run(
        [sys.executable, "-m", "deployments.cli", "demo"],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def processes_of(place: Path) -> list[str]:
    """List living processes that work in a directory or were told about it."""
    found = []
    for process in psutil.process_iter():
        try:
            told = f"{process.cwd()} {process.cmdline()} {process.environ()}"
            if str(place) in told and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # ended meanwhile, or belongs to another user
    return found


def test_the_demo_tells_every_step_of_both_flows_with_its_seconds(runs: Runs) -> None:
    first, _ = runs

    assert first.returncode == 0, first.stderr
    assert sorted(STEP.findall(first.stdout)) == sorted((step, "done") for step in AGES + SWAP)


def test_the_demo_names_a_contact_sheet_that_is_there_for_each_flow(
    runs: Runs, place: Path
) -> None:
    first, _ = runs

    ages, swap = SHEET.findall(first.stdout)

    assert (place / ages).stat().st_size > 0
    assert (place / swap).stat().st_size > 0


def test_the_demo_again_reuses_every_step(runs: Runs) -> None:
    _, second = runs

    assert second.returncode == 0, second.stderr
    assert sorted(STEP.findall(second.stdout)) == sorted((step, "reused") for step in AGES + SWAP)


@pytest.mark.usefixtures("runs")
def test_the_demo_leaves_no_process_behind(place: Path) -> None:
    assert processes_of(place) == []
