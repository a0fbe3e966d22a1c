import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from db.connection import connect
from db.setup.apply import initialise
from deployments.forms import first_paragraph, form_schema
from deployments.local_stack import local_stack
from deployments.run_flow import flow_names, load_flow
from deployments.stack import SERVICES
from storycanvas.services.ports import ask
from storycanvas.services.postgres import Postgres
from storycanvas.services.shared import find_running
from tests.support.paths import ROOT

pytestmark = pytest.mark.timeout(900)
"""Each start waits for a Prefect server, which takes a minute on a busy machine."""

NAMED = ("MONGO_URL", "FACEFUSION_URL", "DB_NAME", "IMAGE_STORE", "STORYCANVAS_PREFECT_DATABASE")
STARTED = [name for name in SERVICES if name != Postgres.name]
"""Their Prefect servers have an SQLite database with them, and so go on with it."""


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in NAMED:
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def stack_dir(tmp_path: Path, with_prefect_database: Callable[[Path], Path]) -> Iterator[Path]:
    yield with_prefect_database(tmp_path / "state")
    command("down", tmp_path / "state")


def arguments(name: str, stack_dir: Path) -> list[str]:
    return [sys.executable, "-m", "deployments.cli", name, "--state-dir", str(stack_dir)]


def command(name: str, stack_dir: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments(name, stack_dir), cwd=ROOT, capture_output=True, text=True, check=False
    )


def processes_of(stack_dir: Path) -> list[str]:
    """List living processes that were told about the state directory."""
    found = []
    for process in psutil.process_iter():
        try:
            told = str(stack_dir) in f"{process.cmdline()} {process.environ()}"
            if told and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # ended meanwhile, or belongs to another user
    return found


def form_of(name: str) -> tuple[str, dict[str, Any]]:
    """Describe a flow in plain words, and make its form."""
    flow = load_flow(name)
    return first_paragraph(flow.description or ""), form_schema(
        flow.parameters.model_dump_for_openapi()
    )


def identities(stack_dir: Path) -> list[int]:
    records = [find_running(name, stack_dir) for name in SERVICES]
    return [record.pid for record in records if record]


def test_up_up_again_status_and_down(stack_dir: Path) -> None:
    up = command("up", stack_dir)
    assert up.returncode == 0, up.stderr
    running = identities(stack_dir)
    assert len(running) == len(STARTED)

    with local_stack(stack_dir) as stack:
        api = stack.environment["PREFECT_API_URL"]
        forms = {
            deployment["name"]: (deployment["description"], deployment["parameter_openapi_schema"])
            for deployment in ask(f"{api}/deployments/filter", {})
        }
        own = {name: form_of(re.sub("-(standing|often)$", "", name)) for name in forms}
        assert forms == own
        assert set(flow_names()) < set(forms)
        assert ask(f"{stack.environment['FACEFUSION_URL']}/api/v1/status")["engine"] == "preview"
    assert identities(stack_dir) == running

    again = command("up", stack_dir)
    assert again.returncode == 0
    assert again.stdout.startswith("It runs already.")
    assert api.removesuffix("/api") in again.stdout
    assert identities(stack_dir) == running
    assert command("status", stack_dir).stdout.startswith("It runs.")

    down = command("down", stack_dir)
    assert down.returncode == 0
    assert all(f"{name}: ended" in down.stdout for name in STARTED)
    assert processes_of(stack_dir) == []
    assert command("down", stack_dir).stdout.startswith("Nothing runs")


def test_a_named_database_gets_what_is_missing_and_no_preview_host(
    stack_dir: Path, mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its indexes stay as they are, and no picture of the preview engine comes into it."""
    named = mongo_url.replace("/?", "/from_the_path?")
    monkeypatch.setenv("MONGO_URL", named)
    with connect(named, "from_the_path").client as client:
        projects = client["from_the_path"]["projects"]
        projects.create_index("name", name="name_1", sparse=True)

        up = command("up", stack_dir)

        lacking = initialise(client["from_the_path"], only_missing=True, dry_run=True)
        assert projects.index_information()["name_1"]["sparse"]
    assert not lacking.changed
    assert up.returncode == 0, up.stderr
    assert "left alone: index projects.name_1: It differs in sparse." in up.stdout
    assert "starting no face host: MONGO_URL names a database" in up.stdout
    assert "database from_the_path" in up.stdout
    assert find_running("face_host", stack_dir) is None
    assert find_running("prefect_worker", stack_dir) is not None
    assert "No limit of a face host was created." in (stack_dir / "register.log").read_text()


def test_status_before_the_first_start_says_how_to_start(stack_dir: Path) -> None:
    assert "make up" in command("status", stack_dir).stdout


def test_a_start_that_fails_half_way_ends_what_it_started(stack_dir: Path) -> None:
    (stack_dir / "face_host").mkdir()
    (stack_dir / "face_host/data").write_text("in the way of the host's folder")

    up = command("up", stack_dir)

    assert up.returncode == 1
    assert len(up.stderr.splitlines()) == 1
    assert str(stack_dir / "face_host/face_host.log") in up.stderr
    assert processes_of(stack_dir) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_start_that_is_interrupted_ends_what_it_started(stack_dir: Path, number: int) -> None:
    with subprocess.Popen(
        arguments("up", stack_dir),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as up:
        wait_for("prefect_server", stack_dir)
        os.kill(up.pid, number)
        assert up.stderr is not None
        assert up.stderr.read().startswith("Interrupted")

    assert up.returncode == 128 + number
    assert processes_of(stack_dir) == []


def wait_for(service: str, stack_dir: Path) -> None:
    deadline = time.monotonic() + 60
    while find_running(service, stack_dir) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
