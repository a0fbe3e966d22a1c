"""A Prefect server with the automations, where tests bring the events and states of runs."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from prefect import Flow
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.events import Event, RelatedResource, Resource

from blocks.environment import Environment
from deployments.automations.acting import Waits, create_automations
from deployments.queues import create_queues
from deployments.stack import POOL
from flows.age_progression import age_progression
from flows.init_db import init_db
from flows.resume_run import resume_run
from tasks.database.changes import WORST
from tasks.health.events import LAST
from tests.support.catalog.comfyui_server import ComfyuiServer

SHORTEST = timedelta(seconds=10)
WAITS = Waits(without_a_sign=SHORTEST, without_a_host=SHORTEST)
DEADLINE = 120.0
HOST = "storycanvas.host.face-host.gpu-1"


class ActingServer:
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

    def database(self, kind: str, worst: str, sentence: str) -> None:
        """Send what maintenance has found in a database."""
        labels = {"prefect.resource.id": "storycanvas.database.storyboard", WORST: worst}
        self.emit(f"storycanvas.database.{kind}", labels, sentence=sentence)

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
