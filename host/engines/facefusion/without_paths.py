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
    places = tuple(folders)
    return tuple(without_folders(line, places)[:_LONGEST_LINE] for line in log[-_SHOWN_LINES:])


def without_folders(text: str, folders: Iterable[Path]) -> str:
    """Put `…` in place of each folder in a text.

    Args:
        text: What is told to the caller.
        folders: Whose paths are left out; the root of a disk is no secret.
    """
    places = (str(folder) for folder in folders if folder != folder.parent)
    for folder in sorted(places, key=len, reverse=True):  # the inner one first
        text = text.replace(folder, "…")
    return text
