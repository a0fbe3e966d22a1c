"""What leaves the host tells nothing of where things lie on it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

_SHOWN_LINES = 20
_LONGEST_LINE = 240


def without_paths(log: Sequence[str], folders: Iterable[Path]) -> tuple[str, ...]:
    """Shorten a log for the caller.

    Args:
        log: Oldest line first.
        folders: Whose paths are left out.

    Returns:
        The last 20 lines, at most 240 characters each, with `…` in place of each folder.
    """
    lines = [*log[-_SHOWN_LINES:]]
    for folder in folders:
        lines = [line.replace(str(folder), "…") for line in lines]
    return tuple(line[:_LONGEST_LINE] for line in lines)
