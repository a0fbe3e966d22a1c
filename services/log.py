"""Where a service's output lies, and how it ended."""

from pathlib import Path

LAST_LINES = 3


def log_of(directory: Path) -> Path:
    """Say where a service's output goes.

    Args:
        directory: The service's directory.

    Returns:
        The log file of its latest start.
    """
    return directory / f"{directory.name}.log"


def last_lines(log: Path) -> str:
    """Read the end of a log.

    Args:
        log: The log file.

    Returns:
        Its last lines with anything on them, as one line.
    """
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    return " | ".join([line for line in lines if line][-LAST_LINES:])
