"""One Prefect event for each host that goes down or comes up, even if several runs find it."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events import Event, RelatedResource, Resource
from prefect.runtime import flow_run

from storycanvas.catalog.health.report import HostChange
from tasks.faces.reporting.report import artifact_key


def host_resource(kind: str, name: str) -> str:
    """Name a host, of a kind such as `face host`, as a resource of Prefect's events.

    Returns:
        `storycanvas.host.{kind}.{name}` in lower-case ASCII letters, digits and dashes; a name with
        other letters gets a few digits of its hash, because those letters are lost.
    """
    suffix = artifact_key(name)
    if not name.isascii():
        suffix = f"{suffix}-{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}".strip("-")
    return f"storycanvas.host.{artifact_key(kind)}.{suffix}"


_CHANGES = UUID("5b0f1d5e-7a0c-4c38-9d5b-2f0f7f8a6c11")
"""The UUID namespace of all changes."""


def emit_change_event(change: HostChange) -> None:
    """Emit a Prefect event for a host that went down or came up, unless that was done.

    The event's id is derived from the change, so runs that overlap, and one that follows a killed
    one, emit the same event. When this returns the server has stored it: a later kill loses none.

    Raises:
        httpx.HTTPError: Prefect's server does not accept it.
    """
    event = _event(change)
    with get_client(sync_client=True) as client:
        if not _already_emitted(client, event.id):
            client.request("POST", "/events", json=[event.model_dump(mode="json")])


def _event(change: HostChange) -> Event:
    check = change.check
    word = "up" if check.is_up else "down"
    payload: dict[str, Any] = {
        **check.model_dump(mode="json"),
        "is_up": check.is_up,
        "before": change.before,
        "sentence": change.sentence,
    }
    name = {"prefect.resource.name": check.name}
    return Event(
        id=uuid5(_CHANGES, "\n".join([change.check_id, *check.key, word])),
        occurred=datetime.now(UTC),
        event=f"storycanvas.host.{word}",
        resource=Resource({"prefect.resource.id": host_resource(check.kind, check.name), **name}),
        related=[RelatedResource(run) for run in _runs()],
        payload=payload,
    )


def _runs() -> list[dict[str, str]]:
    """Name the current flow run, so that its page shows the event."""
    run = flow_run.get_id()
    role = {"prefect.resource.role": "flow-run"}
    return [{"prefect.resource.id": f"prefect.flow-run.{run}", **role}] if run else []


def _already_emitted(client: SyncPrefectClient, event_id: UUID) -> bool:
    """Look for the event: the server itself recognises a repeated one for five minutes only."""
    wanted = {"filter": {"id": {"id": [str(event_id)]}}, "limit": 1}
    return bool(client.request("POST", "/events/filter", json=wanted).json()["events"])
