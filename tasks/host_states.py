"""What the last look at the hosts found, as the Prefect UI shows it."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactCollectionFilter, ArtifactCollectionFilterKey
from prefect.client.schemas.objects import ArtifactCollection

from catalog.health.changes import Seen
from catalog.health.check import HostKey

TABLE_KEY = "check-hosts"
PICTURE_KEY = "check-hosts-last-day"


def seen_hosts(rows: Iterable[object], look: str | None = None) -> dict[HostKey, Seen]:
    """Read the state of each host from rows of the table or of the history.

    Args:
        rows: Anything; what is no row of a host is left out.
        look: Names the look that found them; None if each row says itself when it was checked.
    """
    seen = {}
    for row in rows:
        if isinstance(row, Mapping) and row.get("name") and row.get("state"):
            key = (str(row.get("kind")), str(row["name"]), str(row.get("address") or ""))
            seen[key] = Seen(str(row["state"]), look or str(row.get("checked_at")))
    return seen


def shown_hosts() -> dict[HostKey, Seen]:
    """Read what the last run found from the table that it shows.

    The table is there when the database is not, so that its own going is noticed.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    table = _latest(TABLE_KEY)
    if table is None:
        return {}
    try:
        rows = json.loads(str(table.data))
    except ValueError:
        return {}  # somebody else's artifact of this name
    return seen_hosts(rows, str(table.latest_id)) if isinstance(rows, list) else {}


def shown_at(key: str) -> datetime | None:
    """Tell when an artifact was shown last; None if it never was.

    Raises:
        httpx.HTTPError: Prefect's server does not answer.
    """
    latest = _latest(key)
    return latest.updated if latest else None


def _latest(key: str) -> ArtifactCollection | None:
    which = ArtifactCollectionFilter(key=ArtifactCollectionFilterKey(any_=[key]))
    with get_client(sync_client=True) as client:
        found = client.read_latest_artifacts(artifact_filter=which, limit=1)
    return found[0] if found else None
