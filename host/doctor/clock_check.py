"""Does this machine know what time it is?

Pictures and results are kept by the time of their files, and answers carry the time.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from host.doctor.finding import Finding, ok, warning

CHECK = "clock"
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
LEAD_SECONDS = 300.0
"""A file may be so much newer than now before the clock is doubted."""


@dataclass(frozen=True)
class ClockFacts:
    """The time of this machine, and of what the host wrote last.

    Attributes:
        now: Seconds since 1970.
        newest: When the newest picture or result was written, in the same seconds; None without.
    """

    now: float
    newest: float | None


def look_at_clock(data_dir: Path) -> ClockFacts:
    """Read the clock and the times of the host's files."""
    files = (path for path in data_dir.glob("*/*") if path.is_file())
    return ClockFacts(time.time(), max((path.stat().st_mtime for path in files), default=None))


def judge_clock(facts: ClockFacts) -> Finding:
    """Judge whether the time can be right."""
    now = datetime.fromtimestamp(facts.now, UTC)
    seen = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    fix = "set the clock, and let the system keep it: timedatectl set-ntp true"
    if not EARLIEST <= now < LATEST:
        return warning(CHECK, seen, fix)
    if facts.newest is not None and facts.newest > facts.now + LEAD_SECONDS:
        ahead = facts.newest - facts.now
        return warning(CHECK, f"{seen}, but a kept file is {ahead:,.0f} s newer", fix)
    return ok(CHECK, seen)
