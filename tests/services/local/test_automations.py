"""The automations on a real Prefect server: each fires, and leaves alone what it should.

Nothing runs here: the events and states are those that runs and `check-hosts` bring, and the times
are Prefect's shortest.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.environment import ConfigurationUnusable
from db.setup.apply import initialise
from deployments.automations import acting as automation
from deployments.automations.acting import find_block
from deployments.stack import POOL
from flows.audit_db import audit_db
from flows.init_db import init_db
from flows.resume_run import resume_run
from storycanvas.services.prefect import PrefectServer
from storycanvas.services.shared import acquire
from tasks.resuming import MESSAGE, RESUMED
from tests.support.catalog.comfyui_server import ComfyuiServer
from tests.support.db.database_state import Data
from tests.support.flows.acting_server import HOST, SHORTEST, ActingServer, until
from tests.support.flows.runs import nightly_parameters
from tests.support.services import FIRST_START_SECONDS

pytestmark = pytest.mark.timeout(600)
AWAY = (
    '{"text":"The face host gpu-1 stays away: gpu-1 (face host) is down. '
    'No other face host is up: the queue gpu is paused."}'
)
TOLD_WITHIN_SECONDS = 60.0
ACTIONS = {
    automation.HEART_STOPS: ["change-flow-run-state"],
    automation.GOES_ON: ["run-deployment"],
    automation.STAYS_AWAY: ["pause-work-queue", "resume-automation", "send-notification"],
    automation.IS_BACK: ["resume-work-queue", "pause-automation"],
    automation.RUN_FAILED: ["send-notification"],
    automation.DATABASE_DRIFTS: ["send-notification"],
    automation.AUDIT_CRITICAL: ["send-notification"],
}


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, with_prefect_database: Callable[[Path], Path]
) -> Iterator[ActingServer]:
    state_dir = with_prefect_database(tmp_path_factory.mktemp("automations") / "state")
    with (
        acquire(PrefectServer(), state_dir, ready_within=FIRST_START_SECONDS) as lease,
        temporary_settings({PREFECT_API_URL: lease.url}),
        get_client(sync_client=True) as client,
        ComfyuiServer({"/told": {}}) as told,
    ):
        made = ActingServer(client, told)
        made.register()
        yield made


def test_a_run_whose_heart_stops_is_crashed_and_what_lives_or_is_suspended_is_not(
    server: ActingServer,
) -> None:
    silent, suspended, ended, lives = (server.start(server.face_run, "RUNNING") for _ in range(4))
    waits = server.start(server.face_run, "RUNNING", "RUNNING:Waiting for GPU")
    for run in (silent, suspended, ended, lives):
        server.beat(run)
    server.set(suspended, "PAUSED:Suspended")
    server.set(ended, "COMPLETED")
    begun = time.monotonic()

    def is_crashed() -> bool:
        server.beat(lives)
        return {server.run(run).state_type for run in (silent, waits)} == {StateType.CRASHED}

    until(is_crashed)
    while time.monotonic() < begun + 4 * SHORTEST.total_seconds():
        server.beat(lives)
        time.sleep(1)

    state = server.run(silent).state
    assert state
    assert (state.name, state.message) == ("Crashed", automation.SILENT.format(10))
    assert server.run(suspended).state_name == "Suspended"
    assert server.run(ended).state_name == "Completed"
    assert server.run(lives).state_name == "Running"
    server.set(lives, "COMPLETED")
    # Four times the wait for a host, since the automations were made and with none that went.
    assert not server.is_paused
    assert not server.is_on(automation.IS_BACK)


def test_a_crashed_face_run_goes_on_once_and_what_make_down_ended_does_not(
    server: ActingServer,
) -> None:
    ended = server.start(server.face_run, "RUNNING", "CRASHED:Ended by make down")
    other = server.start(server.maintenance, "RUNNING", "CRASHED")
    crashed = server.start(server.face_run, "RUNNING", "CRASHED")
    until(lambda: str(crashed) in server.resumed())

    assert resume_run(str(crashed)).resumed
    again = server.run(crashed)
    assert again.state
    assert (again.state.type, again.state.message) == (StateType.SCHEDULED, MESSAGE)
    assert again.labels[RESUMED]

    server.set(crashed, "RUNNING")
    server.set(crashed, "CRASHED")
    until(lambda: server.resumed().count(str(crashed)) == 2)
    second = resume_run(str(crashed))
    assert not second.resumed
    assert "went on by itself at" in second.sentence
    assert server.run(crashed).state_name == "Crashed"
    assert not {str(ended), str(other)} & {*server.resumed()}
    assert "it is Ended by make down" not in resume_run(str(ended)).sentence


def test_the_queue_of_face_runs_is_paused_while_no_host_is_up_and_resumed_by_the_next(
    server: ActingServer,
) -> None:
    queued = server.start(server.face_run)
    server.host("down", last=False)
    server.host("down", last=True)
    until(lambda: server.is_paused and server.is_on(automation.IS_BACK))
    assert planned(server, "gpu") == []
    until(lambda: AWAY in server.messages)
    assert server.run(queued).state_type is StateType.SCHEDULED

    server.host("up", last=True)
    until(lambda: not server.is_paused and not server.is_on(automation.IS_BACK))
    assert queued in planned(server, "gpu")

    # A host that is back in time, one of several, and a queue that a person has paused.
    server.host("down", last=True)
    server.host("up", last=True)
    server.host("down", last=False, name=f"{HOST}-of-two")
    time.sleep(2 * SHORTEST.total_seconds())
    assert not server.is_paused
    [gpu] = [q for q in server.client.read_work_queues(work_pool_name=POOL) if q.name == "gpu"]
    server.client.update_work_queue(gpu.id, is_paused=True)
    server.host("up", last=True)
    time.sleep(SHORTEST.total_seconds() / 2)
    assert server.is_paused
    server.client.update_work_queue(gpu.id, is_paused=False)


def planned(server: ActingServer, queue: str) -> list[UUID]:
    """The runs that a worker would get from a queue."""
    found = server.client.get_scheduled_flow_runs_for_work_pool(POOL, [queue])
    return [answer.flow_run.id for answer in found]


def test_what_fails_in_maintenance_and_what_the_database_shows_is_told_once(
    server: ActingServer,
) -> None:
    server.start(server.face_run, "RUNNING", "FAILED")
    failed = server.start(server.maintenance, "RUNNING", "FAILED")
    sentence = f"2 indexes are blocked ({uuid4().hex})."
    server.database("drift", "blocked", sentence)
    name = server.run(failed).name

    until(lambda: any(sentence in text for text in server.messages))
    until(lambda: any(name in text for text in server.messages))

    told = [text for text in server.messages if sentence in text or "Failed" in text]
    assert sorted(told) == sorted(
        [
            f'{{"text":"storycanvas.database.drift: {sentence}"}}',
            f'{{"text":"{name}: Failed: It ends."}}',
        ]
    )


def test_a_night_that_meets_a_duplicate_tells_it_within_a_minute_and_once(
    server: ActingServer, database: Data, mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGO_URL", mongo_url)
    monkeypatch.setenv("DB_NAME", database.name)
    initialise(database)
    database["users"].drop_index("id_1")
    database["users"].insert_many(
        [{"_id": n, "id": "same", "username": f"{n}", "email": f"{n}"} for n in range(2)]
    )

    def told(kind: str) -> list[str]:
        mine = [text for text in server.messages if database.name in text]
        return [text for text in mine if f"storycanvas.database.{kind}: " in text]

    began = time.monotonic()
    init_db(**nightly_parameters("init-db"))
    until(lambda: told("drift"))
    audit_db(**nightly_parameters("audit-db"))
    until(lambda: told("audit"))
    assert time.monotonic() - began < TOLD_WITHIN_SECONDS

    init_db(**nightly_parameters("init-db"))
    audit_db(**nightly_parameters("audit-db"))
    server.database("audit", "warning", f"A warning of {database.name} is in the UI alone.")
    server.database("drift", "nothing", f"The last of {database.name}.")
    until(lambda: len(told("drift")) == 2)
    assert told("drift")[0].endswith('blocked: index users.id_1."}')
    [critical] = told("audit")
    assert "1 critical" in critical


def test_registering_again_updates_by_name_and_what_is_off_stays_off(server: ActingServer) -> None:
    before = {found.name: found.id for found in server.client.read_automations()}
    assert server.actions() == ACTIONS
    [goes_on] = server.client.read_automations_by_name(automation.GOES_ON)
    server.client.pause_automation(goes_on.id)

    sentences = server.register()

    assert {found.name: found.id for found in server.client.read_automations()} == before
    assert server.actions() == ACTIONS
    assert not server.is_on(automation.GOES_ON)
    assert f"The automation {automation.GOES_ON!r} stays switched off." in sentences
    server.client.resume_automation(goes_on.id)


@pytest.mark.parametrize("named", ["slack-webhook/nothing", "operators", "a b/c"])
def test_a_block_for_messages_that_is_not_there_is_refused(
    server: ActingServer, named: str
) -> None:
    with pytest.raises(ConfigurationUnusable, match="KIND/NAME"):
        find_block(server.client, named)
