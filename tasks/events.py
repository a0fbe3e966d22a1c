"""Prefect events, each stored once although several runs find the same."""

from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events import Event, RelatedResource
from prefect.runtime import flow_run


def emit_once(event: Event) -> None:
    """Emit an event, unless one of its id is there.

    Give it an id that is derived from what it is about. When this returns the server has stored it:
    a later kill loses none.

    Raises:
        httpx.HTTPError: Prefect's server does not accept it.
    """
    with get_client(sync_client=True) as client:
        if not _already_emitted(client, event.id):
            client.request("POST", "/events", json=[event.model_dump(mode="json")])


def current_run() -> list[RelatedResource]:
    """Name the current flow run, so that its page shows the event."""
    run = flow_run.get_id()
    if not run:
        return []
    role = {"prefect.resource.role": "flow-run"}
    return [RelatedResource({"prefect.resource.id": f"prefect.flow-run.{run}", **role})]


def _already_emitted(client: SyncPrefectClient, event_id: UUID) -> bool:
    """Look for the event: the server itself recognises a repeated one for five minutes only."""
    wanted = {"filter": {"id": {"id": [str(event_id)]}}, "limit": 1}
    return bool(client.request("POST", "/events/filter", json=wanted).json()["events"])
