"""The automations that act on runs, hosts and maintenance; the Prefect server carries them out.

They are listed in docs/automations.md. One that a person has switched off stays off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import StateType
from prefect.events.actions import (
    CallWebhook,
    ChangeFlowRunState,
    DoNothing,
    PauseAutomation,
    PauseWorkQueue,
    ResumeAutomation,
    ResumeWorkQueue,
    RunDeployment,
    SendNotification,
)
from prefect.exceptions import ObjectNotFound

from blocks.environment import ConfigurationUnusable, Environment
from deployments.automations.standing import save
from deployments.queues import GPU
from deployments.run_flow import flow_names
from deployments.stack import POOL
from tasks.database.changes import WORST
from tasks.health.events import LAST

HEART_STOPS = "A run's heart stops"
GOES_ON = "A crashed face run goes on"
STAYS_AWAY = "A host stays away"
IS_BACK = "It is back"
RUN_FAILED = "Maintenance failed"
DATABASE_DRIFTS = "The database drifts"
AUDIT_CRITICAL = "The audit is critical"

RESUME_RUN = "resume-run"
FACE_HOSTS = {"prefect.resource.id": "storycanvas.host.face-host.*"}
LAST_ONE = {**FACE_HOSTS, LAST: "true"}
"""No other face host is up."""
SILENT = (
    "The run has given no sign of life for {:.0f} seconds: its process and its worker are gone."
)
_RUNS: dict[str, str | list[str]] = {"prefect.resource.id": "prefect.flow-run.*"}
_RUN_ID = {"__prefect_kind": "jinja", "template": "{{ flow_run.id }}"}
"""Plain text with braces would be turned into JSON first, which an id is not (Prefect 3.9.1)."""
_SIGNS = {
    "prefect.flow-run.heartbeat",
    "prefect.flow-run.Running",
    "prefect.flow-run.Waiting for GPU",
}
"""Another sign has to follow each of these. The states are among them, because a run that dies
between one of them and its next beat would have followed its last beat."""
WEBHOOK = "webhook"

Notification = SendNotification | CallWebhook


@dataclass(frozen=True)
class Waits:
    """How long something has to be silent or away; Prefect takes 10 s at least.

    Attributes:
        without_a_sign: Three heartbeats of the deployments in `prefect.yaml`.
        without_a_host: Before face runs are held back.
    """

    without_a_sign: timedelta = timedelta(seconds=90)
    without_a_host: timedelta = timedelta(minutes=5)


@dataclass(frozen=True)
class Targets:
    """What the automations act on.

    Attributes:
        deployments: The project's own: only their runs beat every 30 s.
        resume_run: The deployment that puts a crashed run back.
        gpu: The queue of the face runs.
        is_back: The automation that resumes the queue.
    """

    deployments: Sequence[UUID]
    resume_run: UUID
    gpu: UUID
    is_back: UUID


def create_automations(
    client: SyncPrefectClient,
    environment: Environment,
    waits: Waits | None = None,
    pool: str = POOL,
) -> list[str]:
    """Create or update the automations by their names, and describe each.

    Raises:
        ConfigurationUnusable: There is no block that `NOTIFY_BLOCK` names.
    """
    notify = find_block(client, environment.notify_block)
    own = FlowFilter(name=FlowFilterName(any_=flow_names()))
    found = {
        deployment.name: deployment.id for deployment in client.read_deployments(flow_filter=own)
    }
    [gpu] = [q for q in client.read_work_queues(work_pool_name=pool) if q.name == GPU]
    targets = Targets([*found.values()], found[RESUME_RUN], gpu.id, _is_back(client))
    return [save(client, wanted) for wanted in automations(targets, notify, waits or Waits())]


def automations(
    targets: Targets, notify: tuple[str, UUID] | None, waits: Waits
) -> list[AutomationCore]:
    """Describe all automations.

    Args:
        targets: What they act on.
        notify: Kind and id of the block that sends messages; None sends none.
        waits: How long something has to be silent or away.
    """
    return [
        _heart_stops(targets, waits.without_a_sign),
        _goes_on(targets),
        _stays_away(targets, notify, waits.without_a_host),
        _back(targets),
        *_telling(notify),
    ]


def find_block(client: SyncPrefectClient, named: str | None) -> tuple[str, UUID] | None:
    """Find the block that sends messages; None where none is named.

    Args:
        client: Of the server that has it.
        named: Such as `slack-webhook/operators`.

    Raises:
        ConfigurationUnusable: There is none of that name.
    """
    if named is None:
        return None
    kind, _, name = named.partition("/")
    try:
        return kind, client.read_block_document_by_name(name, kind, include_secrets=False).id
    except ObjectNotFound:
        raise ConfigurationUnusable(
            f"The variable NOTIFY_BLOCK names the block {named!r}, which does not exist; it takes "
            "KIND/NAME of a block of the Prefect UI, such as slack-webhook/operators."
        ) from None


def _heart_stops(targets: Targets, silent: timedelta) -> AutomationCore:
    message = SILENT.format(silent.total_seconds())
    return AutomationCore(
        name=HEART_STOPS,
        description="A run that gives no sign of life is Crashed, on whatever machine it was.",
        trigger=EventTrigger(
            posture=Posture.Proactive,
            after=_SIGNS,
            expect={"prefect.flow-run.*"},
            match=_RUNS,
            match_related={
                "prefect.resource.role": "deployment",
                "prefect.resource.id": [f"prefect.deployment.{id_}" for id_ in targets.deployments],
            },
            for_each={"prefect.resource.id"},
            within=silent,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message=message)],
    )


def _goes_on(targets: Targets) -> AutomationCore:
    """Runs that `make down` ended have a name of their own, and are left alone."""
    return AutomationCore(
        name=GOES_ON,
        description="A crashed run of faces or jobs is scheduled again, once.",
        trigger=EventTrigger(
            posture=Posture.Reactive,
            expect={"prefect.flow-run.Crashed"},
            match=_RUNS,
            match_related=_tagged("faces", "jobs"),
            for_each={"prefect.resource.id"},
        ),
        actions=[RunDeployment(deployment_id=targets.resume_run, parameters={"run_id": _RUN_ID})],
    )


def _stays_away(
    targets: Targets, notify: tuple[str, UUID] | None, away: timedelta
) -> AutomationCore:
    body = "{{ event.payload.sentence }} No other face host is up: the queue gpu is paused."
    return AutomationCore(
        name=STAYS_AWAY,
        description="Face runs wait in their queue while no face host is up.",
        trigger=EventTrigger(
            posture=Posture.Proactive,
            after={"storycanvas.host.down"},
            expect={"storycanvas.host.up"},
            match=LAST_ONE,
            # One wait for all hosts, since all have the label. With none Prefect 3.9.1 begins it
            # when the automation is made, and pauses the queue although no host went away.
            for_each={LAST},
            within=away,
        ),
        actions=[
            PauseWorkQueue(work_queue_id=targets.gpu),
            ResumeAutomation(automation_id=targets.is_back),
            *_message(notify, "The face host {{ event.resource.name }} stays away", body),
        ],
    )


def _back(targets: Targets) -> AutomationCore:
    """Off until the queue is paused by its counterpart, so that a person's pause stays."""
    return AutomationCore(
        name=IS_BACK,
        description=f"Resumes the queue that {STAYS_AWAY!r} has paused; off until then.",
        enabled=False,
        trigger=EventTrigger(
            posture=Posture.Reactive, expect={"storycanvas.host.up"}, match=FACE_HOSTS
        ),
        actions=[
            ResumeWorkQueue(work_queue_id=targets.gpu),
            PauseAutomation(automation_id=targets.is_back),
        ],
    )


def _telling(notify: tuple[str, UUID] | None) -> list[AutomationCore]:
    """What is told only; of an audit what loses or stops something, of the others each change."""
    failed = EventTrigger(
        posture=Posture.Reactive,
        expect={"prefect.flow-run.*"},
        match={**_RUNS, "prefect.state-type": ["FAILED", "CRASHED"]},
        match_related=_tagged("maintenance", "catalog"),
        for_each={"prefect.resource.id"},
    )
    of_run = "{{ flow_run.name }}: {{ flow_run.state.name }}", "{{ flow_run.state.message }}"
    of_event = "{{ event.event }}", "{{ event.payload.sentence }}"
    drifts = _of_databases(["drift", "pending-migrations", "due-purge"])
    critical = _of_databases(["audit"], **{WORST: "critical"})
    told: list[tuple[str, str, EventTrigger, tuple[str, str]]] = [
        (RUN_FAILED, "a failed or crashed run of the maintenance or the catalog", failed, of_run),
        (DATABASE_DRIFTS, "what is new in a database", drifts, of_event),
        (AUDIT_CRITICAL, "what loses or stops something in a database", critical, of_event),
    ]
    return [
        AutomationCore(
            name=name,
            description=f"Tells of {what}.",
            trigger=trigger,
            actions=_message(notify, *text) or [DoNothing()],
        )
        for name, what, trigger, text in told
    ]


def _of_databases(kinds: Sequence[str], **labels: str) -> EventTrigger:
    events = {f"storycanvas.database.{kind}" for kind in kinds}
    match: dict[str, str | list[str]] = {"prefect.resource.id": "storycanvas.database.*", **labels}
    return EventTrigger(posture=Posture.Reactive, expect=events, match=match)


def _message(
    notify: tuple[str, UUID] | None, subject: str, body: str
) -> list[SendNotification | CallWebhook]:
    if notify is None:
        return []
    kind, block = notify
    if kind == WEBHOOK:
        return [CallWebhook(block_document_id=block, payload=f"{subject}\n{body}")]
    return [SendNotification(block_document_id=block, subject=subject, body=body)]


def _tagged(*tags: str) -> dict[str, str | list[str]]:
    return {
        "prefect.resource.role": "tag",
        "prefect.resource.id": [f"prefect.tag.{tag}" for tag in tags],
    }


def _is_back(client: SyncPrefectClient) -> UUID:
    """Find the automation, or create it: it has to exist before it can be told of itself."""
    found = client.read_automations_by_name(IS_BACK)
    if found:
        return found[0].id
    nothing = EventTrigger(expect={"storycanvas.host.up"}, match=FACE_HOSTS)
    begun = AutomationCore(name=IS_BACK, enabled=False, trigger=nothing, actions=[DoNothing()])
    return client.create_automation(begun)
