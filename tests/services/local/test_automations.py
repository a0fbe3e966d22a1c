"""The automations on a real Prefect server: each fires, and leaves alone what it should.

Nothing runs here: the events and states are those that runs and `check-hosts` bring, and the times
are Prefect's shortest.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect import Flow
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.events import Event, RelatedResource, Resource
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.environment import ConfigurationUnusable, Environment
from deployments.automations import acting as automation
from deployments.automations.acting import Waits, create_automations, find_block
from deployments.queues import create_queues
from deployments.stack import POOL
from flows.age_progression import age_progression
from flows.init_db import init_db
from flows.resume_run import resume_run
from storycanvas.services.prefect import PrefectServer
from storycanvas.services.shared import acquire
from tasks.health.events import LAST
from tasks.resuming import MESSAGE, RESUMED
from tests.support.catalog.comfyui_server import ComfyuiServer
from tests.support.services import FIRST_START_SECONDS

pytestmark = pytest.mark.timeout(600)
SHORTEST = timedelta(seconds=10)
WAITS = Waits(without_a_sign=SHORTEST, without_a_host=SHORTEST)
DEADLINE = 120.0
HOST = "storycanvas.host.face-host.gpu-1"
ACTIONS = {
    automation.HEART_STOPS: ["change-flow-run-state"],
    automation.GOES_ON: ["run-deployment"],
    automation.STAYS_AWAY: ["pause-work-queue", "resume-automation", "send-notification"],
    automation.IS_BACK: ["resume-work-queue", "pause-automation"],
    automation.RUN_FAILED: ["send-notification"],
    automation.DATABASE_DRIFTS: ["send-notification"],
}


class Server:
    """A Prefect server with the automations, and what they act on.

    Attributes:
        client: A client of it.
        told: Where messages arrive.
    """

    def __init__(self, client: SyncPrefectClient, told: ComfyuiServer) -> None:
        self.client = client
        self.told = told
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        create_queues(client)
        self.face_run = self._deploy(age_progression, "faces", "gpu")
        self.maintenance = self._deploy(init_db, "maintenance", "maintenance")
        self.resume_run = self._deploy(resume_run, "automations", "default")
        webhook = CustomWebhookNotificationBlock(
            name="told",
            url=f"{told.url}/told",
            json_data={"text": "{{subject}}: {{body}}"},
            timeout=60,
        )
        webhook.save("operators", client=client)
        environment = Environment(notify_block="custom-webhook/operators")
        self.register = lambda: create_automations(client, environment, WAITS)

    def _deploy(self, flow: Flow[..., Any], tag: str, queue: str) -> UUID:
        options = {"tags": [tag], "work_pool_name": POOL, "work_queue_name": queue}
        return self.client.create_deployment(self.client.create_flow(flow), flow.name, **options)

    def start(self, deployment: UUID, *states: str) -> UUID:
        """Make a run, and put it into states, given as type or as type and name."""
        parameters = {"character_id": "mara"} if deployment == self.face_run else {}
        run = self.client.create_flow_run_from_deployment(deployment, parameters=parameters)
        for state in states:
            self.set(run.id, state)
        return run.id

    def set(self, run: UUID, state: str) -> None:
        kind, _, name = state.partition(":")
        body: State[Any] = State(
            type=StateType(kind), name=name or kind.title(), message="It ends."
        )
        self.client.set_flow_run_state(run, body, force=True)

    def run(self, run: UUID) -> FlowRun:
        return self.client.read_flow_run(run)

    def beat(self, run: UUID) -> None:
        """Send what the engine sends every 30 s."""
        deployment = f"prefect.deployment.{self.face_run}"
        self.emit(
            "prefect.flow-run.heartbeat",
            {"prefect.resource.id": f"prefect.flow-run.{run}"},
            [{"prefect.resource.id": deployment, "prefect.resource.role": "deployment"}],
        )

    def emit(
        self,
        event: str,
        resource: Mapping[str, str],
        related: list[dict[str, str]] | None = None,
        **payload: str,
    ) -> None:
        sent = Event(
            occurred=datetime.now(UTC),
            event=event,
            resource=Resource(dict(resource)),
            related=[RelatedResource(found) for found in related or []],
            payload=payload,
            id=uuid4(),
        )
        self.client.request("POST", "/events", json=[sent.model_dump(mode="json")])

    def host(self, word: str, *, last: bool, name: str = HOST) -> None:
        labels = {"prefect.resource.id": name, "prefect.resource.name": "gpu-1"}
        self.emit(
            f"storycanvas.host.{word}",
            {**labels, LAST: str(last).lower()},
            sentence=f"gpu-1 (face host) is {word}.",
        )

    def resumed(self) -> list[str]:
        """The ids that runs of `resume-run` were given."""
        return [
            run.parameters["run_id"]
            for run in self.client.read_flow_runs()
            if run.deployment_id == self.resume_run
        ]

    @property
    def is_paused(self) -> bool:
        return {queue.name: queue for queue in self.client.read_work_queues(work_pool_name=POOL)}[
            "gpu"
        ].is_paused

    def is_on(self, name: str) -> bool:
        [found] = self.client.read_automations_by_name(name)
        return found.enabled

    def actions(self) -> dict[str, list[str]]:
        """What each automation does, as the server has it."""
        found = self.client.read_automations()
        return {each.name: [action.type for action in each.actions] for each in found}

    @property
    def messages(self) -> list[str]:
        return [request.body.decode() for request in self.told.requests]


def until(look: Callable[[], Any]) -> None:
    end = time.monotonic() + DEADLINE
    while not look():
        assert time.monotonic() < end, failed_actions()
        time.sleep(0.2)


def failed_actions() -> list[Any]:
    """Why actions failed: Prefect says so in events alone, and tries none again."""
    wanted = {"filter": {"event": {"name": ["prefect.automation.action.failed"]}}, "limit": 50}
    with get_client(sync_client=True) as client:
        events = client.request("POST", "/events/filter", json=wanted).json()["events"]
    return [event["payload"] for event in events]


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, with_prefect_database: Callable[[Path], Path]
) -> Iterator[Server]:
    state_dir = with_prefect_database(tmp_path_factory.mktemp("automations") / "state")
    with (
        acquire(PrefectServer(), state_dir, ready_within=FIRST_START_SECONDS) as lease,
        temporary_settings({PREFECT_API_URL: lease.url}),
        get_client(sync_client=True) as client,
        ComfyuiServer({"/told": {}}) as told,
    ):
        made = Server(client, told)
        made.register()
        yield made


def test_a_run_whose_heart_stops_is_crashed_and_what_lives_or_is_suspended_is_not(
    server: Server,
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


def test_a_crashed_face_run_goes_on_once_and_what_make_down_ended_does_not(
    server: Server,
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
    server: Server,
) -> None:
    queued = server.start(server.face_run)
    server.host("down", last=False)
    server.host("down", last=True)
    until(lambda: server.is_paused and server.is_on(automation.IS_BACK))
    assert planned(server, "gpu") == []
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


def planned(server: Server, queue: str) -> list[UUID]:
    """The runs that a worker would get from a queue."""
    found = server.client.get_scheduled_flow_runs_for_work_pool(POOL, [queue])
    return [answer.flow_run.id for answer in found]


def test_what_fails_in_maintenance_and_what_the_database_shows_is_told_once(
    server: Server,
) -> None:
    server.start(server.face_run, "RUNNING", "FAILED")
    failed = server.start(server.maintenance, "RUNNING", "FAILED")
    sentence = f"2 indexes are blocked ({uuid4().hex})."
    drifted = {"prefect.resource.id": "storycanvas.database.storyboard"}
    server.emit("storycanvas.database.drift", drifted, sentence=sentence)
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


def test_registering_again_updates_by_name_and_what_is_off_stays_off(server: Server) -> None:
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
def test_a_block_for_messages_that_is_not_there_is_refused(server: Server, named: str) -> None:
    with pytest.raises(ConfigurationUnusable, match="KIND/NAME"):
        find_block(server.client, named)
