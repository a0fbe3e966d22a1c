"""What the last look at the hosts found, and telling who went away or came back."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactCollectionFilter, ArtifactCollectionFilterKey
from prefect.client.schemas.objects import ArtifactCollection
from prefect.events import emit_event

from catalog.health.changes import HostChange
from catalog.health.check import HostKey
from tasks.publish import artifact_key

TABLE_KEY = "check-hosts"
PICTURE_KEY = "check-hosts-last-day"


def states_of(rows: Iterable[object]) -> dict[HostKey, str]:
    """Read the state of each host from rows of the table or of the history.

    Args:
        rows: Anything; what is no row of a host is left out.
    """
    states = {}
    for row in rows:
        if isinstance(row, Mapping) and row.get("name") and row.get("state"):
            key = (str(row.get("kind")), str(row["name"]), str(row.get("address") or ""))
            states[key] = str(row["state"])
    return states


def shown_states() -> dict[HostKey, str]:
    """Read what the last run found from the table that it shows.

    The table is there when the database is not, so that its own going is noticed.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    table = _latest(TABLE_KEY)
    try:
        rows = json.loads(str(table.data)) if table else []
    except ValueError:
        return {}  # somebody else's artifact of this name
    return states_of(rows) if isinstance(rows, list) else {}


def shown_at(key: str) -> datetime | None:
    """Tell when an artifact was shown last; None if it never was.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    latest = _latest(key)
    return latest.updated if latest else None


def tell(change: HostChange) -> None:
    """Raise a Prefect event for a host that went away or came back.

    Args:
        change: It is the event's payload.
    """
    check = change.check
    payload: dict[str, Any] = {
        **check.model_dump(mode="json"),
        "is_up": check.is_up,
        "before": change.before,
    }
    resource = f"storycanvas.host.{artifact_key(check.kind)}.{artifact_key(check.name)}"
    emit_event(
        f"storycanvas.host.{'up' if check.is_up else 'down'}",
        resource={"prefect.resource.id": resource, "prefect.resource.name": check.name},
        payload=payload,
    )


def _latest(key: str) -> ArtifactCollection | None:
    which = ArtifactCollectionFilter(key=ArtifactCollectionFilterKey(any_=[key]))
    with get_client(sync_client=True) as client:
        found = client.read_latest_artifacts(artifact_filter=which, limit=1)
    return found[0] if found else None
