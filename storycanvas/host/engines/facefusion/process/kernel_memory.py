"""Whether the kernel kills processes for lack of memory, by its own counter.

A daemon such as systemd-oomd kills with the same signal and counts elsewhere: its kills are not
told from those of a person.
"""

from pathlib import Path

VMSTAT = Path("/proc/vmstat")
_COUNTER = "oom_kill"
KILLED = -9
"""Exit code of a process that was ended by SIGKILL, the kernel's means and a person's."""


def oom_kills(vmstat: Path | None = None) -> int | None:
    """Return how many processes of this machine were killed, in control groups, too.

    None where the counter cannot be read: before Linux 4.13, on other systems, in some sandboxes.
    """
    try:
        lines = (vmstat or VMSTAT).read_text().splitlines()
    except OSError:
        return None
    counts = (line.split() for line in lines)
    return next((int(row[1]) for row in counts if row[0] == _COUNTER), None)


def killed_for_memory(exit_code: int | None, before: int | None) -> bool:
    """Judge the end of a process by the counter before it; where that is unknown, -9 suffices."""
    if exit_code != KILLED:
        return False
    now = oom_kills()
    return before is None or now is None or now > before
