"""What becomes of runs and blocks when the local stack is ended and started again."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from deployments.stack import read_state
from storycanvas.services.ports import ask
from storycanvas.services.shared import find_running
from tests.system.test_local_stack import NAMED, command

pytestmark = pytest.mark.timeout(400)
T = TypeVar("T")
SCHEDULED = {"audit-db", "check-hosts", "init-db", "maintain-model-catalog"} | {
    "migrate-db",
    "purge-deleted",
}
AGES = list(range(12, 90, 4))


@pytest.fixture
def stack_dir(
    tmp_path: Path,
    with_prefect_database: Callable[[Path], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    for variable in NAMED:
        monkeypatch.delenv(variable, raising=False)
    state_dir = with_prefect_database(tmp_path / "state")
    yield state_dir
    command("down", state_dir)
    assert not errors_of_the_server(state_dir)


BUSY = "Worker channel heartbeat persistence failed"
"""Prefect 3.9.1 with SQLite, while another write takes long; the next heartbeat is stored."""


def errors_of_the_server(state_dir: Path) -> list[str]:
    """Lines with an error in the Prefect server's log: that of this start and the one before."""
    logs = sorted((state_dir / "prefect_server").glob("prefect_server.log*"))
    lines = [line for log in logs for line in log.read_text().splitlines()]
    errors = [line for line in lines if " | ERROR " in line or " | CRITICAL " in line]
    return [line for line in errors if BUSY not in line]


class Api:
    """The Prefect server of a state directory, which moves with each start."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir

    def post(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON is any value
        server = find_running("prefect_server", self.state_dir)
        assert server
        return self.until(lambda: ask(f"{server.url}{path}", body), 30)

    def until(self, look: Callable[[], T], seconds: float) -> T:
        """Look until there is something: SQLite answers 503 now and then."""
        end = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < end
            time.sleep(0.1)
        return found

    def deployments(self) -> dict[str, str]:
        return {d["name"]: d["id"] for d in self.post("/deployments/filter", {"limit": 100})}

    def planned(self, deployment_id: str) -> bool:
        wanted = {
            "deployments": {"id": {"any_": [deployment_id]}},
            "flow_runs": {"state": {"name": {"any_": ["Scheduled"]}}},
        }
        server = find_running("prefect_server", self.state_dir)
        assert server
        return bool(ask(f"{server.url}/flow_runs/count", wanted))

    def start(self, name: str) -> str:
        """Start a run that takes a while, and wait until it has begun."""
        parameters = {"character_id": "sample-astronaut", "ages": AGES, "force": True}
        address = f"/deployments/{self.deployments()['age-progression']}/create_flow_run"
        run: str = self.post(address, {"name": name, "parameters": parameters})["id"]
        self.until(lambda: self.run(run)["state_name"] == "Running", 90)
        time.sleep(3)
        return run

    def run(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.post(
            "/flow_runs/filter", {"flow_runs": {"id": {"any_": [run]}}}
        )[0]
        return found


def test_schedules_plan_runs_and_a_run_in_progress_ends_with_the_stack(stack_dir: Path) -> None:
    api = Api(stack_dir)
    assert command("up", stack_dir).returncode == 0
    began = time.monotonic()
    deployments = api.deployments()
    for name in SCHEDULED:
        api.until(lambda name=name: api.planned(deployments[name]), 30)
    assert time.monotonic() - began < 30
    assert "plans no run" not in command("status", stack_dir).stdout

    run = api.start("of the night")
    down = command("down", stack_dir)
    assert "ended in mid-run: of the night (Retry goes on with what is done)" in down.stdout

    assert command("up", stack_dir).returncode == 0
    assert api.run(run)["name"] == "of the night"
    assert api.run(run)["state_name"] == "Ended by make down"
    assert api.run(run)["state_type"] == "CRASHED"


def test_taken_ports_change_nothing_in_the_operators_blocks_but_the_address(
    stack_dir: Path,
) -> None:
    api = Api(stack_dir)
    assert command("up", stack_dir).returncode == 0
    edit(api, "story-database", {"pool_size": 21})
    edit(api, "image-store", {"base_url": "https://app.example/pictures"})
    before, ports = blocks(api), addresses(stack_dir)
    assert command("down", stack_dir).returncode == 0

    with ExitStack() as taken:
        for port in ports.values():
            taken.enter_context(socket.create_server(("127.0.0.1", port)))
        up = command("up", stack_dir)
        assert up.returncode == 0, up.stderr
        moved = addresses(stack_dir)
        expected = before
        for name, port in ports.items():
            assert moved[name] != port
            expected = expected.replace(f"127.0.0.1:{port}", f"127.0.0.1:{moved[name]}")
        assert blocks(api) == expected
        assert limits(api) == {f"gpu:127.0.0.1:{moved['face_host']}"}
        assert command("down", stack_dir).returncode == 0

    assert command("up", stack_dir).returncode == 0
    assert read_state(stack_dir)
    assert limits(api) == {f"gpu:127.0.0.1:{addresses(stack_dir)['face_host']}"}


def addresses(stack_dir: Path) -> dict[str, int]:
    names = ("mongod", "face_host", "prefect_server")
    found = {name: find_running(name, stack_dir) for name in names}
    return {name: record.port for name, record in found.items() if record}


def stored(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.post(
        "/block_documents/filter", {"include_secrets": True, "limit": 100}
    )
    return [document for document in found if document["name"] == "default"]


def blocks(api: Api) -> str:
    """The default blocks as they are stored, secrets too."""
    data = {document["block_type"]["slug"]: document["data"] for document in stored(api)}
    return json.dumps(data, sort_keys=True)


def edit(api: Api, slug: str, changes: dict[str, Any]) -> None:
    [document] = [d for d in stored(api) if d["block_type"]["slug"] == slug]
    server = find_running("prefect_server", api.state_dir)
    assert server
    answer = httpx.patch(
        f"{server.url}/block_documents/{document['id']}",
        json={"data": changes, "merge_existing_data": True},
        timeout=30,
    )
    assert answer.is_success, answer.text


def limits(api: Api) -> set[str]:
    found = api.post("/v2/concurrency_limits/filter", {"limit": 200})
    return {limit["name"] for limit in found if limit["name"].startswith("gpu:")}
