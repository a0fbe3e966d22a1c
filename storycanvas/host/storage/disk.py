"""What a host does about a full disk, and about files that are not needed any more."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storycanvas.faces.errors import HostNotReady
from storycanvas.net.atomic_files import PART_SUFFIX

FULL_RETRY_AFTER = 60
"""Seconds; the operator has to make room first."""
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""The disk is full, or what this program may write is used up; Windows has no quota error."""


@contextmanager
def refused_when_full() -> Iterator[None]:
    """Turn the error of a full disk into a refusal with a remedy.

    Raises:
        HostNotReady: There was no room to write.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise HostNotReady(
            f"The host has no room to write ({error.strerror}): free space on the disk of its data "
            "folder, or start it with a smaller --keep-gib.",
            retry_after=FULL_RETRY_AFTER,
        ) from error


def remove_older(folder: Path, seconds: float, suffix: str = "") -> int:
    """Remove the files of a folder, but not of its subfolders, that were last used long ago.

    Args:
        folder: Where they are.
        seconds: Younger files stay.
        suffix: What the names of the files end in.

    Returns:
        How many were removed.
    """
    oldest = time.time() - seconds
    removed = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(suffix) and _is_older(entry, oldest):
                Path(entry.path).unlink(missing_ok=True)
                removed += 1
    return removed


def remove_parts(folder: Path) -> int:
    """Remove what a killed host left half-written, and count the files; only while idle."""
    parts = list(folder.glob(f"*{PART_SUFFIX}"))
    for part in parts:
        part.unlink(missing_ok=True)
    return len(parts)


def _is_older(entry: os.DirEntry[str], oldest: float) -> bool:
    try:
        return entry.is_file() and entry.stat().st_mtime < oldest
    except FileNotFoundError:  # another thread or process removed it meanwhile
        return False
