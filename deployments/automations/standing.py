"""The automations that keep standing deployments running; the Prefect server carries them out."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, RunDeployment
from prefect.states import Scheduled

from storycanvas.services.flow_runs import STANDING, ApiPath, keeper_of, without_run

PAUSE = timedelta(seconds=20)
"""Between the end of a run and the next one: a run that fails at once is no loop, and a worker
takes the next one within a minute."""
WITHOUT_A_SIGN = timedelta(seconds=120)
"""Four heartbeats of the deployments in `prefect.yaml`; a process starts in less."""
GONE = "The run has given no sign of life for two minutes: its process and its worker are gone."
END_GONE = "End standing runs that are gone"
_ENDS = sorted(state.value for state in (StateType.COMPLETED, StateType.FAILED, StateType.CRASHED))


def keep_standing(client: SyncPrefectClient) -> list[str]:
    """Create or update the automations of all standing deployments, and describe each.

    One that a person has switched off stays off.
    """
    tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[STANDING]))
    found = client.read_deployments(deployment_filter=tagged)
    wanted = [_keeper(deployment.id, deployment.name) for deployment in found]
    if found:
        wanted.append(_end_gone([deployment.id for deployment in found]))
    return [save(client, automation) for automation in wanted]


def start_standing(client: SyncPrefectClient) -> list[str]:
    """Start a run of each standing deployment that has none, and describe each."""

    def post(path: ApiPath, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON is any value
        return client.request("POST", path, json=body).json()

    missing = without_run(post)
    for deployment in missing:
        client.create_flow_run_from_deployment(
            UUID(deployment.id), state=Scheduled(), idempotency_key=deployment.start_key
        )
    return [deployment.sentence() for deployment in missing]


def _keeper(deployment: UUID, name: str) -> AutomationCore:
    """Have another run started whenever one ends, by whatever name its last state has."""
    return AutomationCore(
        name=keeper_of(name),
        description="After each end of a run the next one begins. Off: the last run is the last.",
        trigger=EventTrigger(
            posture=Posture.Reactive,
            expect={"prefect.flow-run.*"},
            match={
                "prefect.resource.id": "prefect.flow-run.*",
                "prefect.state-type": [*_ENDS, StateType.CANCELLED.value],
            },
            match_related=_of([deployment]),
            for_each={"prefect.resource.id"},
        ),
        actions=[RunDeployment(deployment_id=deployment, schedule_after=PAUSE)],
    )


def _end_gone(deployments: Sequence[UUID]) -> AutomationCore:
    """Have a run ended whose process and worker are gone, on whatever machine they were."""
    return AutomationCore(
        name=END_GONE,
        description="A standing run without heartbeats is Crashed, and the next one begins.",
        trigger=EventTrigger(
            posture=Posture.Proactive,
            after={"prefect.flow-run.Pending", "prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.*"},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related=_of(deployments),
            for_each={"prefect.resource.id"},
            within=WITHOUT_A_SIGN,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message=GONE)],
    )


def _of(deployments: Sequence[UUID]) -> dict[str, str | list[str]]:
    return {
        "prefect.resource.role": "deployment",
        "prefect.resource.id": [f"prefect.deployment.{id_}" for id_ in deployments],
    }


def save(client: SyncPrefectClient, automation: AutomationCore) -> str:
    """Create or update an automation by its name, and describe that; what is off stays off."""
    found = client.read_automations_by_name(automation.name)
    if not found:
        client.create_automation(automation)
        return f"The automation {automation.name!r} was created."
    # An update sends only what was set (Prefect 3.9.1), and an action without its type is taken
    # for the first kind with such fields: a queue to be resumed would be paused.
    whole = automation.model_dump(exclude={"owner_resource"})  # which no server here takes
    kept = AutomationCore.model_validate({**whole, "enabled": found[0].enabled})
    client.update_automation(found[0].id, kept)
    state = "stays as it is" if found[0].enabled else "stays switched off"
    return f"The automation {automation.name!r} {state}."
