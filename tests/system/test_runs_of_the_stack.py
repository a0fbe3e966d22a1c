"""What becomes of runs and blocks when parts of the local stack end and start again.

One stack serves all tests of this file, on PostgreSQL where one is installed.
"""

import hashlib
import json
import os
import re
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks import ImageStoreBlock
from blocks.environment import Environment
from db.connection import connect
from db.connection_string import DEFAULT_NAME
from deployments.automations.acting import (
    AUDIT_CRITICAL,
    DATABASE_DRIFTS,
    GOES_ON,
    HEART_STOPS,
    IS_BACK,
    RESUME_RUN,
    RUN_FAILED,
    STAYS_AWAY,
    Waits,
    create_automations,
)
from deployments.automations.standing import END_GONE, keep_standing, start_standing
from deployments.local_stack import ENDED, ENDED_NAME
from deployments.queues import GPU
from deployments.sample import TARGET
from deployments.stack import POOL, read_state, stopped_services
from storycanvas.faces.pictures.image_store import Category
from storycanvas.services.flow_runs import keeper_of
from storycanvas.services.ports import ask
from storycanvas.services.postgres import Postgres
from storycanvas.services.shared import find_running
from tasks.resuming import RESUMED
from tests.support.db.database_state import shape
from tests.support.flows.browser import retry_ended_run
from tests.support.flows.prefect_pages import log_lines
from tests.system.reviews.answering import answer_after
from tests.system.test_local_stack import NAMED, command

pytestmark = pytest.mark.timeout(900)
T = TypeVar("T")
NIGHTLY = {"audit-db", "init-db", "migrate-db", "purge-deleted"}
SCHEDULED = NIGHTLY | {"check-hosts", "maintain-model-catalog"}
AGES = list(range(12, 90, 2))
LOOKS = 1
"""Steps of a run that look at pictures; they are recorded only when what needs them is planned."""
SUBMITS, AT_A_TIME = 100, 4
PICTURES = {".jpg", ".png"}
LATER = "2099-01-01T00:00:00Z"
STANDS = "process-jobs-standing"
QUEUE = "facefusion_jobs"
COUPLES_STAND = "process-faceswap-tasks-standing"
OF_MAINTENANCE = {RUN_FAILED, DATABASE_DRIFTS, AUDIT_CRITICAL}
OF_RUNS_AND_HOSTS = {HEART_STOPS, GOES_ON, STAYS_AWAY, IS_BACK, *OF_MAINTENANCE}
UNFINISHED = ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING")
KILLED = "The worker's process was killed. Retry goes on with what is done."


@pytest.fixture(scope="module")
def stack_dir(
    tmp_path_factory: pytest.TempPathFactory, for_many_runs: Callable[[Path], Path]
) -> Iterator[Path]:
    state_dir = for_many_runs(tmp_path_factory.mktemp("runs") / "state")
    with pytest.MonkeyPatch.context() as environment:
        for variable in NAMED:
            environment.delenv(variable, raising=False)
        yield state_dir
        command("down", state_dir)
    assert not errors_of_the_server(state_dir)


@pytest.fixture
def api(stack_dir: Path) -> "Api":
    """The stack, started again where the test before has ended a part of it."""
    state = read_state(stack_dir)
    if state is None or stopped_services(state, stack_dir):
        up = command("up", stack_dir)
        assert up.returncode == 0, up.stderr
    return Api(stack_dir)


TAKEN = "error while attempting to bind on address"
"""A server whose port another program took between the look and the start: the next is tried."""
BUSY = "Worker channel heartbeat persistence failed"
"""Prefect 3.9.1 with SQLite, while another write takes long; the next heartbeat is stored."""


def errors_of_the_server(state_dir: Path) -> list[str]:
    """Lines with an error in the Prefect server's log: that of this start and the one before."""
    logs = sorted((state_dir / "prefect_server").glob("prefect_server.log*"))
    texts = [text for log in logs if TAKEN not in (text := log.read_text())]
    lines = [line for text in texts for line in text.splitlines()]
    errors = [line for line in lines if " | ERROR " in line or " | CRITICAL " in line]
    return [line for line in errors if BUSY not in line]


class Api:
    """The Prefect server of a state directory, which moves with each start."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir

    @property
    def url(self) -> str:
        server = find_running("prefect_server", self.state_dir)
        assert server
        return server.url

    def post(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON is any value
        url = f"{self.url}{path}"
        found: list[Any] = []
        self.until(lambda: found.append(ask(url, body)) or found[-1] is not None, 30)
        return found[-1]

    def until(self, look: Callable[[], T], seconds: float) -> T:
        """Look until there is something: SQLite answers 503 now and then."""
        end = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < end, self.described()
            time.sleep(0.1)
        return found

    def described(self) -> str:
        """What there is to see in the UI of the newest runs and of the queues."""
        newest = {"sort": "EXPECTED_START_TIME_DESC", "limit": 12}
        runs = ask(f"{self.url}/flow_runs/filter", newest) or []
        queues = ask(f"{self.url}/work_queues/filter", {}) or []
        lines = [
            f"{r['name']}: {r['state_name']}, {(r['state'] or {}).get('message')}" for r in runs
        ]
        return "\n".join([*lines, *(f"{q['name']}: paused {q['is_paused']}" for q in queues)])

    def deployments(self) -> dict[str, str]:
        return {d["name"]: d["id"] for d in self.post("/deployments/filter", {"limit": 100})}

    def planned(self, deployment_id: str) -> bool:
        wanted = {
            "deployments": {"id": {"any_": [deployment_id]}},
            "flow_runs": {"state": {"name": {"any_": ["Scheduled"]}}},
        }
        return bool(ask(f"{self.url}/flow_runs/count", wanted))

    def start(self, *names: str) -> list[str]:
        """Start runs that take a while, and wait until each has recorded something.

        Each works on a size of its own: a forced run makes again what another run has made.
        """
        parameters = {"character_id": "sample-astronaut", "ages": AGES, "force": True}
        runs = [
            self.begin("age-progression", parameters | {"longest_side": 400 - number}, name=name)
            for number, name in enumerate(names)
        ]
        for run in runs:
            self.until(lambda run=run: self.steps(run, "COMPLETED") > LOOKS, 300)
        return runs

    def steps(self, run: str, state_type: str) -> int:
        wanted = {
            "flow_runs": {"id": {"any_": [run]}},
            "task_runs": {"state": {"type": {"any_": [state_type]}}},
        }
        count: int = ask(f"{self.url}/task_runs/count", wanted) or 0
        return count

    def begin(self, deployment: str, parameters: dict[str, Any], name: str | None = None) -> str:
        address = f"/deployments/{self.deployments()[deployment]}/create_flow_run"
        body = {"parameters": parameters} | ({"name": name} if name else {})
        run: str = self.post(address, body)["id"]
        return run

    def do(self, deployment: str) -> None:
        """Have a run of a deployment done that cancels new ones while another is in progress."""
        run = self.begin(deployment, {})
        ended = self.until(lambda: self._end_of(run), 120)
        if ended == "CANCELLED":
            time.sleep(5)
            self.do(deployment)

    def _end_of(self, run: str) -> str | None:
        state: str = self.run(run)["state_type"]
        return state if state in {"COMPLETED", "CANCELLED"} else None

    def is_paused(self, queue: str) -> bool:
        queues = self.post(f"/work_pools/{POOL}/queues/filter", {})
        return {found["name"]: bool(found["is_paused"]) for found in queues}[queue]

    def came_back(self) -> set[str]:
        """Name the hosts that check-hosts has told to be up again."""
        wanted = {"filter": {"event": {"name": ["storycanvas.host.up"]}}}
        events = self.post("/events/filter", wanted)["events"]
        return {event["resource"]["prefect.resource.name"] for event in events}

    def face_runs(self) -> list[str]:
        """List the runs of face flows that are in progress; a drain has none."""
        return [
            run for run in self.in_progress() if self.run(run)["parameters"].get("character_id")
        ]

    def in_progress(self) -> list[str]:
        wanted = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}, "limit": 100}
        return [run["id"] for run in self.post("/flow_runs/filter", wanted)]

    def standing(self, *state_types: str) -> list[str]:
        """List the runs of the standing drain that are in a state of these types."""
        wanted = {
            "deployments": {"name": {"any_": [STANDS]}},
            "flow_runs": {"state": {"type": {"any_": [*state_types]}}},
        }
        return [run["id"] for run in self.post("/flow_runs/filter", wanted)]

    def run(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.post(
            "/flow_runs/filter", {"flow_runs": {"id": {"any_": [run]}}}
        )[0]
        return found


def test_every_schedule_plans_a_run(api: Api, stack_dir: Path) -> None:
    began = time.monotonic()
    deployments = api.deployments()
    for name in SCHEDULED:
        api.until(lambda name=name: api.planned(deployments[name]), 30)
    assert time.monotonic() - began < 30
    assert "plans no run" not in command("status", stack_dir).stdout


def test_an_inserted_job_is_done_with_no_person_pressing_anything(
    api: Api, stack_dir: Path
) -> None:
    [standing] = api.until(lambda: api.standing("RUNNING"), 90)
    store = ImageStoreBlock(url=(stack_dir / "images").as_uri()).open()
    picture = store.put(TARGET.read_bytes(), Category.SOURCE, "jpg", datetime.now(UTC))
    job = {"id": "of the app", "status": "queued", "job_type": "detect"}
    mongod = find_running("mongod", stack_dir)
    assert mongod
    with connect(mongod.url, DEFAULT_NAME).client as client:
        jobs = client[DEFAULT_NAME]["facefusion_jobs"]
        jobs.insert_one(
            {**job, "input_data": {"image_url": picture.url}, "created_at": datetime.now(UTC)}
        )
        inserted = time.monotonic()
        ended = {"id": job["id"], "status": {"$in": ["completed", "failed"]}}
        api.until(lambda: jobs.find_one({"id": job["id"], "started_at": {"$ne": None}}), 20)
        assert time.monotonic() - inserted < 20
        done = api.until(lambda: jobs.find_one(ended), 60)

    assert (done["status"], done["flow_run_id"]) == ("completed", standing)


def test_registering_again_makes_no_second_automation_and_no_second_run(api: Api) -> None:
    names = [automation["name"] for automation in api.post("/automations/filter", {})]
    runs = api.standing(*UNFINISHED)

    with (
        temporary_settings({PREFECT_API_URL: api.url}),
        get_client(sync_client=True) as client,
    ):
        create_automations(client, Environment())
        keep_standing(client)
        started = start_standing(client)

    assert started == []
    assert [automation["name"] for automation in api.post("/automations/filter", {})] == names
    assert sorted(names) == sorted(
        [END_GONE, keeper_of(STANDS), keeper_of(COUPLES_STAND), *OF_RUNS_AND_HOSTS]
    )
    assert api.standing(*UNFINISHED) == runs
    assert len(runs) == 1


def test_of_a_hundred_submits_while_three_runs_work_one_is_refused_at_most(
    api: Api, stack_dir: Path
) -> None:
    if not Postgres(stack_dir).has_files:
        pytest.skip("PostgreSQL is not installed; SQLite refuses more.")
    runs = api.start("first", "second", "third")
    address = f"{api.url}/deployments/{api.deployments()['report-model-catalog']}/create_flow_run"
    later = {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": LATER}}}

    def submit(_number: int) -> int:
        return httpx.post(address, json=later, timeout=60, trust_env=False).status_code

    with ThreadPoolExecutor(AT_A_TIME) as threads:
        answers = Counter(threads.map(submit, range(SUBMITS)))

    assert answers[httpx.codes.CREATED] >= SUBMITS - 1, answers
    assert set(runs) <= set(api.in_progress())


def test_a_killed_host_has_face_runs_wait_in_their_queue_and_all_go_on_when_it_is_back(
    api: Api, stack_dir: Path
) -> None:
    inside = api.face_runs() or api.start("inside")
    with temporary_settings({PREFECT_API_URL: api.url}), get_client(sync_client=True) as client:
        create_automations(client, Environment(), Waits(without_a_host=timedelta(seconds=10)))
    api.do("check-hosts")
    host = find_running("face_host", stack_dir)
    assert host

    os.kill(host.pid, signal.SIGKILL)
    api.do("check-hosts")
    api.until(lambda: api.is_paused(GPU), 90)
    queued = api.begin("enhance-faces", {"character_id": "sample-astronaut", "force": True})
    api.until(lambda: api.run(queued)["state_name"] == "Late", 90)
    assert {api.run(run)["state_type"] for run in inside} == {"RUNNING"}

    assert command("up", stack_dir).returncode == 0
    api.do("check-hosts")
    api.until(lambda: not api.is_paused(GPU), 90)
    for run in (queued, *inside):
        api.until(lambda run=run: api.run(run)["state_type"] == "COMPLETED", 600)
        lines = [line for line in log_lines(api.url, run) if ": done in" in line]
        # What a host had in hand when it was killed is done again, and once.
        assert len(lines) == len({line.partition(": done in")[0] for line in lines}) > 0


def test_a_host_that_has_to_move_is_registered_where_it_is_and_counts_as_back(
    api: Api, stack_dir: Path
) -> None:
    api.do("check-hosts")
    host = find_running("face_host", stack_dir)
    assert host
    os.kill(host.pid, signal.SIGKILL)
    api.do("check-hosts")

    with socket.create_server(("127.0.0.1", host.port)):
        up = command("up", stack_dir)
    assert up.returncode == 0, up.stderr
    moved = addresses(stack_dir)["face_host"]
    assert moved != host.port
    assert f"127.0.0.1:{moved}" in blocks(api)
    api.do("check-hosts")
    api.until(lambda: f"127.0.0.1:{moved}" in api.came_back(), 60)


def test_a_run_whose_worker_is_killed_ends_with_a_sentence_and_goes_on_by_itself_once(
    api: Api, stack_dir: Path
) -> None:
    of_faces = api.face_runs() or api.start("for the cover")
    runs = {*of_faces, *api.in_progress()}
    worker = find_running("prefect_worker", stack_dir)
    assert worker

    os.kill(worker.pid, signal.SIGKILL)

    for run in runs:
        api.until(lambda run=run: api.run(run)["state_type"] != "RUNNING", 60)
        ended = api.run(run)
        assert (ended["state_type"], ended["state_name"]) == ("CRASHED", "Crashed")
        assert KILLED in ended["state"]["message"]

    [waiting] = api.until(lambda: api.standing("SCHEDULED"), 60)
    assert command("up", stack_dir).returncode == 0
    api.until(lambda: api.standing("RUNNING") == [waiting], 200)

    for run in of_faces:
        api.until(lambda run=run: api.run(run)["state_type"] == "COMPLETED", 600)
        assert api.run(run)["labels"][RESUMED]
        lines = [line for line in log_lines(api.url, run) if ": done in" in line]
        # A look that was not recorded yet is answered by what the host has kept: same engine time.
        done = {tuple(re.split(r": done in .*\(", line.rstrip("."))) for line in lines}
        assert len(done) == len({step for step, _ in done}) > 0
    resuming = api.post("/flow_runs/filter", {"deployments": {"name": {"any_": [RESUME_RUN]}}})
    resumed = Counter(found["parameters"]["run_id"] for found in resuming)
    assert {resumed[run] for run in of_faces} == {1}


def test_a_run_waits_for_its_review_without_a_worker_and_goes_on_with_the_answer(
    api: Api, tmp_path: Path
) -> None:
    answer_after(api, 10, tmp_path / "chromium")


def test_a_standing_run_follows_one_whose_process_is_killed(api: Api) -> None:
    [killed] = api.until(lambda: api.standing("RUNNING"), 90)
    os.kill(int(api.run(killed)["infrastructure_pid"].rpartition(":")[2]), signal.SIGKILL)

    api.until(lambda: {*api.standing("RUNNING")} - {killed}, 300)

    assert api.run(killed)["state_type"] == "CRASHED"


def test_down_ends_a_run_and_up_on_taken_ports_changes_nothing_but_addresses(
    api: Api, stack_dir: Path
) -> None:
    edit(api, "story-database", {"pool_size": 21})
    edit(api, "image-store", {"base_url": "https://app.example/pictures"})
    change_queue(api, "maintenance", {"concurrency_limit": 7, "is_paused": True})
    switch_off(api, DATABASE_DRIFTS)
    before, ports = blocks(api), addresses(stack_dir)
    [run] = api.start("of the night")
    history, pictures = runs_that_ended(api), pictures_of(stack_dir)
    set_by_hand = queues(api), automations(api)
    complete = queue_of_jobs(stack_dir, drop=True)

    down = command("down", stack_dir)

    assert "ended in mid-run: of the night (Retry goes on with what is done)" in down.stdout
    with ExitStack() as taken:
        for port in ports.values():
            taken.enter_context(socket.create_server(("127.0.0.1", port)))
        up = command("up", stack_dir)
        assert up.returncode == 0, up.stderr
        assert f"created 1 collection with validators and indexes: {QUEUE}" in up.stdout
        assert queue_of_jobs(stack_dir) == complete
        ended = api.run(run)
        assert ended["name"] == "of the night"
        assert (ended["state_type"], ended["state_name"]) == ("CRASHED", "Ended by make down")
        moved = addresses(stack_dir)
        expected = before
        for name, port in ports.items():
            assert moved[name] != port
            expected = expected.replace(f"127.0.0.1:{port}", f"127.0.0.1:{moved[name]}")
        assert blocks(api) == expected
        assert (queues(api), automations(api)) == set_by_hand
        assert ("maintenance", 7, True) in {queue[:1] + queue[2:] for queue in queues(api)}
        assert (DATABASE_DRIFTS, False) in automations(api)
        assert history.items() <= runs_that_ended(api).items()
        assert pictures.items() <= pictures_of(stack_dir).items()
        assert limits(api) == {f"gpu:127.0.0.1:{moved['face_host']}"}
        assert command("down", stack_dir).returncode == 0

    assert command("up", stack_dir).returncode == 0
    assert limits(api) == {f"gpu:127.0.0.1:{addresses(stack_dir)['face_host']}"}

    retry_ended_run(api.url, run, ENDED_NAME, ENDED, stack_dir / "chromium")
    api.until(lambda: any(": reused in" in line for line in log_lines(api.url, run)), 300)


def test_after_all_that_one_standing_run_is_there_and_none_was_cancelled(api: Api) -> None:
    api.until(lambda: api.standing("RUNNING"), 200)

    assert len(api.standing(*UNFINISHED)) == 1
    assert api.standing("CANCELLED") == []


def addresses(stack_dir: Path) -> dict[str, int]:
    names = ("mongod", "face_host", "prefect_server")
    found = {name: find_running(name, stack_dir) for name in names}
    return {name: record.port for name, record in found.items() if record}


def queue_of_jobs(stack_dir: Path, *, drop: bool = False) -> Any:  # noqa: ANN401 - see `shape`
    """Read options and indexes of the queue's collection, and drop it afterwards."""
    mongod = find_running("mongod", stack_dir)
    assert mongod
    with connect(mongod.url, DEFAULT_NAME).client as client:
        found = shape(client[DEFAULT_NAME])[QUEUE]
        if drop:
            client[DEFAULT_NAME].drop_collection(QUEUE)
    return found


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
    answer = httpx.patch(
        f"{api.url}/block_documents/{document['id']}",
        json={"data": changes, "merge_existing_data": True},
        timeout=30,
    )
    assert answer.is_success, answer.text


def change_queue(api: Api, name: str, changes: dict[str, Any]) -> None:
    """Change a queue as the UI does."""
    address = f"{api.url}/work_pools/{POOL}/queues/{name}"
    answer = httpx.patch(address, json=changes, timeout=30, trust_env=False)
    assert answer.is_success, answer.text


def queues(api: Api) -> set[tuple[str, int, int | None, bool]]:
    """Name, priority, limit of each queue, and whether it is paused."""
    found = api.post(f"/work_pools/{POOL}/queues/filter", {"limit": 100})
    return {(q["name"], q["priority"], q["concurrency_limit"], q["is_paused"]) for q in found}


def switch_off(api: Api, name: str) -> None:
    [found] = [a for a in api.post("/automations/filter", {}) if a["name"] == name]
    address = f"{api.url}/automations/{found['id']}"
    answer = httpx.patch(address, json={"enabled": False}, timeout=30, trust_env=False)
    assert answer.is_success, answer.text


def automations(api: Api) -> set[tuple[str, bool]]:
    return {(found["name"], found["enabled"]) for found in api.post("/automations/filter", {})}


def runs_that_ended(api: Api) -> dict[str, str]:
    """The state of each run that has ended, by its id."""
    ended = ("COMPLETED", "CRASHED", "FAILED", "CANCELLED")
    wanted = {"flow_runs": {"state": {"type": {"any_": [*ended]}}}, "limit": 200}
    return {run["id"]: run["state_name"] for run in api.post("/flow_runs/filter", wanted)}


def pictures_of(stack_dir: Path) -> dict[str, bytes]:
    """The digest of each picture of the store, by its path; not of one that is being written."""
    files = [path for path in (stack_dir / "images").rglob("*") if path.suffix in PICTURES]
    return {str(path): hashlib.sha256(path.read_bytes()).digest() for path in files}


def limits(api: Api) -> set[str]:
    found = api.post("/v2/concurrency_limits/filter", {"limit": 200})
    return {limit["name"] for limit in found if limit["name"].startswith("gpu:")}
