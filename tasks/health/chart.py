"""The picture of the last day. Importing this takes a second, for pandas and matplotlib."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from storycanvas.catalog.reporting.plots import health_plot
from tasks.artifacts import inline_picture

_COLUMNS = ["name", "checked_at", "is_up", "latency_ms"]


def health_markdown(checks: Sequence[Mapping[str, Any]], summary: str) -> str:
    """Draw when each host was up and how fast it answered.

    Args:
        checks: Of the last day, as the history holds them.
        summary: How things are now.

    Returns:
        Markdown that carries the picture itself.
    """
    rows = [{name: check.get(name) for name in _COLUMNS} for check in checks]
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    frame["checked_at"] = pd.to_datetime(frame["checked_at"], utc=True)
    frame["latency_ms"] = pd.to_numeric(frame["latency_ms"], errors="coerce")
    picture = inline_picture("hosts in the last day", health_plot(frame))
    return f"# Hosts in the last 24 hours\n\n{picture}\n\n{summary}\n"
