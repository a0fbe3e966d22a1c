"""Runs of a deployment on two Prefect servers, one of which is killed, judged by the face host."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.environment import Environment
from blocks.face_host import FaceHost
from blocks.limits import create_limit
from db.connection import connect
from deployments.automations.acting import RESUME_RUN, create_automations
from deployments.queues import create_queues
from deployments.register import create_pool
from deployments.sample import CHARACTER_ID, add_sample_character
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire
from tests.support.flows.noted_host import NotedHost, overlaps
from tests.support.guard.slots import taken
from tests.system.team.installation import Team

FLOW = "age-progression"
DATABASE = "story"
AGES = [45]
POLL_SECONDS = 0.5
T = TypeVar("T")


@dataclass
class Work:
    """What runs work with: an installation with deployments and workers, and the judge.

    Attributes:
        team: The installation.
        host: The judge; it has two slots and its limit one.
        limit: The name of that limit.
        said: What was said of queues and automations when they were created.
    """

    team: Team
    host: NotedHost
    limit: str
    said: list[str]

    def start(self, count: int) -> list[UUID]:
        """Submit runs that have nothing to do in common."""
        with get_client(sync_client=True) as client:
            deployment = client.read_deployment_by_name(f"{FLOW}/{FLOW}").id
            return [
                client.create_flow_run_from_deployment(
                    deployment, name=f"run {number}", parameters=parameters(number)
                ).id
                for number in range(count)
            ]

    def ended(self, runs: Sequence[UUID]) -> list[FlowRun]:
        """List those of the runs that have ended."""
        return [run for run in self.read(runs) if run.state and run.state.is_final()]

    def read(self, runs: Sequence[UUID]) -> list[FlowRun]:
        wanted = FlowRunFilter(id=FlowRunFilterId(any_=[*runs]))
        with get_client(sync_client=True) as client:
            return client.read_flow_runs(flow_run_filter=wanted)

    def overlaps(self) -> int:
        """Count the operations that began while the host worked on another."""
        return overlaps(self.host.served())

    def taken(self) -> int:
        """Count the slots of the host that are held."""
        return taken(self.limit)

    def bad_states(self, runs: Sequence[UUID]) -> list[tuple[str, str]]:
        """List what went wrong in any of the runs, also in those that went on."""
        bad = {StateType.FAILED, StateType.CRASHED, StateType.CANCELLED}
        with get_client(sync_client=True) as client:
            states = [state for run in runs for state in client.read_flow_run_states(run)]
        return [(state.name or "", state.message or "") for state in states if state.type in bad]


def parameters(number: int) -> dict[str, Any]:
    return {
        "character_id": CHARACTER_ID,
        "ages": AGES,
        "enhance": "none",
        "longest_side": 256 + number,
    }


def until(look: Callable[[], T], seconds: float) -> T:
    """Look until there is something."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(POLL_SECONDS)
    return found


@contextmanager
def ready_to_work(team: Team) -> Iterator[Work]:
    """Give an installation a database, a face host, deployments and workers.

    Only what the runs need is deployed: all deployments take a minute.
    """
    folder = team.folder / "shared"
    host = NotedHost(folder / "operations")
    with (
        acquire(Mongod(), folder) as mongod,
        acquire(host, folder) as running,
        temporary_settings({PREFECT_API_URL: team.url}),
        get_client(sync_client=True) as client,
    ):
        with connect(mongod.url, DATABASE).client as opened:
            add_sample_character(opened[DATABASE])
        limit = FaceHost(url=running.url).limit_name
        create_limit(limit, 1)
        said = prepare_server(team, client)
        team.start_workers(
            {
                "MONGO_URL": mongod.url,
                "DB_NAME": DATABASE,
                "FACEFUSION_URL": running.url,
                "IMAGE_STORE": (folder / "images").as_uri(),
            }
        )
        yield Work(team, host, limit, said)


def prepare_server(team: Team, client: SyncPrefectClient) -> list[str]:
    """Create pool, queues, deployments and automations, and tell what was created."""
    create_pool()
    said = create_queues(client)
    deployed = [word for name in (FLOW, RESUME_RUN) for word in ("--name", name)]
    team.run(["prefect", "--no-prompt", "deploy", *deployed])
    return [*said, *create_automations(client, Environment())]
