"""The last day of checks, as the picture needs it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pandas as pd

from catalog.reporting.models_frame import moments

DAY = timedelta(days=1)

LONGEST_GAP = timedelta(minutes=15)
"""How long a host counts as it was at a check, without another one; then it counts as unchecked."""

_COLUMNS = ["name", "checked_at", "is_up", "latency_ms"]


def last_day(checks: pd.DataFrame) -> pd.DataFrame:
    """Bring checks in order, without what cannot be read or is older than a day.

    Args:
        checks: Columns name, checked_at, is_up, latency_ms; other columns do not matter.

    Returns:
        The four columns, sorted by time; a day is counted from the last check.
    """
    if not set(_COLUMNS) <= set(checks.columns):
        return pd.DataFrame(columns=_COLUMNS)
    day = checks[_COLUMNS].reset_index(drop=True)
    day["checked_at"] = moments(day["checked_at"])
    day["is_up"] = [up is True or up == 1 for up in day["is_up"]]
    day["latency_ms"] = pd.to_numeric(day["latency_ms"], errors="coerce").astype(float)
    day = day.dropna(subset=["name", "checked_at"]).assign(name=day["name"].astype(str))
    begin = day["checked_at"].max() - DAY
    recent: pd.DataFrame = day[day["checked_at"] >= begin]
    return recent.sort_values("checked_at", kind="stable", ignore_index=True)


def hosts_worst_first(day: pd.DataFrame) -> list[str]:
    """Order the hosts: those that were down most often, then by name."""
    up = day.groupby("name")["is_up"].mean()
    return sorted(up.index, key=lambda name: (up[name], name))


def spans(host: pd.DataFrame) -> Iterator[tuple[datetime, datetime, bool]]:
    """Join checks of one host that found the same, as long as there is no gap between them.

    Args:
        host: Its checks, in order of time.

    Yields:
        From when to when it was up (True) or down (False), in UTC.
    """
    starts = host["checked_at"]
    ends = (starts + LONGEST_GAP).where(lambda end: end < starts.shift(-1), starts.shift(-1))
    ends = ends.fillna(starts + LONGEST_GAP / 3)
    begins = (host["is_up"] != host["is_up"].shift()) | (ends.shift() < starts)
    for _, run in pd.DataFrame({"start": starts, "end": ends, "is_up": host["is_up"]}).groupby(
        begins.cumsum()
    ):
        yield run["start"].iloc[0], run["end"].iloc[-1], bool(run["is_up"].iloc[0])
