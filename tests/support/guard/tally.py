"""Figures of rounds in which processes are killed, and the claims about them."""

from dataclasses import dataclass, field

MAX_UNUSED_SECONDS = 61.0
"""The lease time, 60 s, and 1 s; how long a killed holder's slot may lie unused."""


@dataclass
class Tally:
    """Figures of all rounds.

    Attributes:
        calls: Calls served.
        kills: Processes killed.
        overlaps: Calls that came while another was in service.
        most_repeated: Calls that one kill made necessary again, at most.
        failed: Processes that failed by themselves or did not end.
        unused: For each holder that was killed, how long its slot lay unused, in seconds.
        disturbed: The same where the limit was off or the server down in that time.
    """

    calls: int = 0
    kills: int = 0
    overlaps: int = 0
    most_repeated: int = 0
    failed: int = 0
    unused: list[float] = field(default_factory=list)
    disturbed: list[float] = field(default_factory=list)


def summary(tally: Tally) -> str:
    """Describe the figures so far and the claims that do not hold."""
    unused = f"unused at most {max(tally.unused, default=0):.1f} s"
    if tally.disturbed:
        unused += f" ({max(tally.disturbed):.1f} s where the limit was off or the server down)"
    return (
        f"{tally.calls} calls, {tally.kills} kills, {tally.overlaps} overlaps, at most "
        f"{tally.most_repeated} repeated by a kill, {len(tally.unused) + len(tally.disturbed)} "
        f"killed holders' slots {unused}. {'; '.join(broken(tally)).upper() or 'All claims hold.'}"
    )


def broken(tally: Tally) -> list[str]:
    """List the claims that do not hold, each as a short sentence."""
    claims = {
        "calls overlapped": tally.overlaps == 0,
        "a kill repeated more than one call": tally.most_repeated <= 1,
        f"a slot lay unused for over {MAX_UNUSED_SECONDS:.0f} s": max(tally.unused, default=0.0)
        <= MAX_UNUSED_SECONDS,
        "processes failed": tally.failed == 0,
    }
    return [claim for claim, holds in claims.items() if not holds]
