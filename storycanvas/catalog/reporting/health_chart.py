"""The picture of the last day's checks: which host was up, and how fast it answered."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from storycanvas.catalog.reporting.charts import FAINT, INK, bare, empty_picture, label, png
from storycanvas.catalog.reporting.models_frame import moments

DAY = timedelta(days=1)

MAX_GAP = timedelta(minutes=15)
"""How long the state of a host lasts without another check; then it counts as unchecked."""

_COLUMNS = ["name", "checked_at", "is_up", "latency_ms"]


def checks_frame(checks: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Make a table of checks, which may be none, with the four columns; a missing value is None."""
    rows = [{name: check.get(name) for name in _COLUMNS} for check in checks]
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    frame["checked_at"] = pd.to_datetime(frame["checked_at"], utc=True)
    frame["latency_ms"] = pd.to_numeric(frame["latency_ms"], errors="coerce")
    return frame


def last_day(checks: pd.DataFrame) -> pd.DataFrame:
    """Sort checks by time, without unreadable ones and those older than a day before the last.

    Args:
        checks: Columns name, checked_at, is_up, latency_ms; others are dropped.
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
    """Join the checks of one host, in order of time, into periods of the same state.

    Yields:
        From when to when it was up (True) or down (False), in UTC; a long gap between two checks
        belongs to no period.
    """
    starts = host["checked_at"]
    ends = (starts + MAX_GAP).where(lambda end: end < starts.shift(-1), starts.shift(-1))
    ends = ends.fillna(starts + MAX_GAP / 3)
    begins = (host["is_up"] != host["is_up"].shift()) | (ends.shift() < starts)
    for _, run in pd.DataFrame({"start": starts, "end": ends, "is_up": host["is_up"]}).groupby(
        begins.cumsum()
    ):
        yield run["start"].iloc[0], run["end"].iloc[-1], bool(run["is_up"].iloc[0])


MAX_HOSTS = 30
"""Hosts with a row of their own, those that were down most first."""

_COLOURS = {True: "#8FCFB0", False: "#C8324A"}
_LINE, _SHADE = "#1F4E79", "#B9CBE0"
_BAND, _LATENCY = 0.24, 0.52
"""Heights of the band and of the diagram above it; a row has 1."""
_SLICE = timedelta(minutes=5)
"""The interval of a median latency; a host that is checked every 30 s has ten checks in it."""
_NARROWEST = timedelta(minutes=4)
"""Narrowest red bar, so that a host that was down for seconds is visible."""
_MARGIN = timedelta(minutes=6)


def health_plot(checks: pd.DataFrame) -> bytes:
    """Draw as PNG a row for each host: a band that is green while it was up, and its latency.

    Args:
        checks: Columns name, checked_at (UTC), is_up, latency_ms (None without an answer), in any
            order. Checks more than a day older than the last are left out; there may be none.
    """
    day = last_day(checks)
    if day.empty:
        return empty_picture("no checks yet")
    hosts = hosts_worst_first(day)
    shown = hosts[:MAX_HOSTS]
    begin = day["checked_at"].max() - DAY
    figure = Figure(figsize=(11, 1.1 + 0.75 * len(shown)))
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    bare(axes)
    for row, name in enumerate(shown):
        _draw(axes, len(shown) - 1 - row, day[day["name"] == name], begin)
    axes.set_ylim(-0.1, len(shown))
    axes.set_yticks([len(shown) - 0.6 - row for row in range(len(shown))], [*map(label, shown)])
    axes.set_xlim(0, _hours(DAY + _MARGIN))
    _name_hours(axes, begin)
    axes.grid(axis="x", color=FAINT)
    title = (
        "Hosts in the last day (UTC): green up, red down; latency (line: median, shade: slowest)"
    )
    more = f"; {len(hosts) - MAX_HOSTS} more are not shown" if len(hosts) > MAX_HOSTS else ""
    figure.suptitle(title + more, x=0.01, ha="left", color=INK, fontsize=11.5)
    return png(figure)


def _draw(axes: Axes, floor: int, host: pd.DataFrame, begin: pd.Timestamp) -> None:
    for start, end, is_up in sorted(spans(host), key=lambda span: not span[2]):
        width = end - start if is_up else max(end - start, _NARROWEST)
        bar = (_hours(start - begin), _hours(width))
        axes.broken_barh([bar], (floor, _BAND), color=_COLOURS[is_up], lw=0)
    slowest = _draw_latency(axes, floor + _BAND + 0.08, host, begin)
    caption = f" up {host['is_up'].mean():.2%}"
    if slowest:
        caption += f"\n at most {slowest:,.0f} ms"
    right = _hours(DAY + _MARGIN)
    axes.text(right, floor + 0.4, caption, va="center", color=INK, fontsize=8.5)


def _draw_latency(
    axes: Axes, floor: float, host: pd.DataFrame, begin: pd.Timestamp
) -> float | None:
    """Draw the median and the slowest of every few minutes; return the slowest of all."""
    slices = host.set_index("checked_at")["latency_ms"].resample(_SLICE)
    middle, slowest = slices.median(), slices.max()
    top = slowest.max()
    if pd.isna(top) or top <= 0:
        return None
    scale = _LATENCY / top
    hours = (pd.DatetimeIndex(middle.index) - (begin - _SLICE / 2)).total_seconds() / 3600
    low, high = floor + middle * scale, floor + slowest * scale
    axes.fill_between(hours, low, high, color=_SHADE, lw=0)
    few = middle.count() < 100  # noqa: PLR2004  # points with gaps between them make no line
    axes.plot(hours, low, color=_LINE, linewidth=1.2, marker="." if few else "")
    return float(top)


def _name_hours(axes: Axes, begin: pd.Timestamp) -> None:
    full = [begin.ceil("3h") + timedelta(hours=hours) for hours in range(0, 24, 3)]
    names = [f"{moment:%d %b}" if moment.hour == 0 else f"{moment:%H:%M}" for moment in full]
    axes.set_xticks([_hours(moment - begin) for moment in full], names)


def _hours(time: timedelta) -> float:
    return time.total_seconds() / 3600
