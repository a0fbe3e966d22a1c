"""What a host does about a disk that takes nothing, and about files that are not needed any more.

A disk that is full or read-only still gives what is on it, so only writing is refused.
"""

import errno
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from storycanvas.faces.errors import HostNotReady
from storycanvas.net.atomic_files import PART_SUFFIX

_log = logging.getLogger(__name__)


class _Room(Protocol):
    """What a disk answers about its bytes."""

    @property
    def total(self) -> int: ...

    @property
    def free(self) -> int: ...


FULL_RETRY_AFTER = 60
"""Seconds; the operator has to make room first."""
LEAST_FREE_BYTES = 1024 * 1024
"""With less free nothing is begun: not even a small picture and its records would fit."""
DATA_FOLDER = "data folder (--data-dir)"
_KEEP_LESS = ", or start the host with a smaller --keep-gib"
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""The disk is full, or what this program may write is used up; Windows has no quota error."""
_NO_WRITING = {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
"""The disk is read-only or fails, or the host's user has lost the right to write."""


@contextmanager
def refused_when_unwritable(folder: Path, name: str = DATA_FOLDER) -> Iterator[None]:
    """Turn the error of a disk that takes nothing now into a refusal with a remedy.

    Args:
        folder: Where is written; only the log has its path, answers have its name.
        name: What the operator knows the folder by.

    Raises:
        HostNotReady: Nothing could be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM | _NO_WRITING and folder.is_dir():
            raise
        _log.error("%s: %s", folder, error)
        is_full = error.errno in _NO_ROOM
        lack = _lack_elsewhere(folder, name) if is_full else None
        reason = lack or _sentence(_room(folder), name, error.strerror or "", is_full=is_full)
        raise unwritable(reason) from error


def shortage(folder: Path, name: str = DATA_FOLDER, needed: int = LEAST_FREE_BYTES) -> str | None:
    """Explain why so many bytes cannot be written in a folder now; None if they can."""
    try:
        room = shutil.disk_usage(folder)
    except OSError as error:
        return _sentence(None, name, error.strerror or "", is_full=False)
    if not os.access(folder, os.W_OK | os.X_OK):
        return _sentence(room, name, "no right to write, or read-only", is_full=False)
    return _lack(room, name, needed)


def lack_of_room(folder: Path, name: str, needed: int = LEAST_FREE_BYTES) -> str | None:
    """Explain that a folder has less room than that; None if it has it, or is not there."""
    return _lack(_room(folder), name, needed)


def temporary_folder() -> tuple[Path, str]:
    """Name the system's folder for what programs and libraries write meanwhile."""
    return Path(tempfile.gettempdir()), "temporary folder (TMPDIR)"


def _lack_elsewhere(folder: Path, name: str) -> str | None:
    """Explain that the temporary folder is full, where a form's file lies first, and not this."""
    return None if lack_of_room(folder, name) else lack_of_room(*temporary_folder())


def _room(folder: Path) -> _Room | None:
    try:
        return shutil.disk_usage(folder)
    except OSError:
        return None


def _lack(room: _Room | None, name: str, needed: int) -> str | None:
    if room is None or room.free >= needed:
        return None
    return _sentence(room, name, f"less than the {needed:,} that are needed", is_full=True)


def unwritable(reason: str) -> HostNotReady:
    """Refuse what would have to be written."""
    return HostNotReady(reason, retry_after=FULL_RETRY_AFTER)


def _sentence(room: _Room | None, name: str, reason: str, *, is_full: bool) -> str:
    free = (
        f"{room.free:,} of {room.total:,} bytes are free"
        if room
        else "its free bytes cannot be read"
    )
    if is_full:
        remedy = f"free space on its disk{_KEEP_LESS if name == DATA_FOLDER else ''}"
        return f"The host's {name} has no room, {free} ({reason}): {remedy}."
    return (
        f"The host's {name} cannot be written, {free} ({reason}): mount it so that it can be "
        "written, and let the host's user write there."
    )


def existing_folder(text: str, meaning: str = "") -> Path:
    """Find a folder that the operator names; `meaning` says in the refusal what was expected.

    Raises:
        ValueError: There is no such folder.
    """
    folder = Path(text).expanduser().absolute()
    if not text or not folder.is_dir():
        raise ValueError(f"{text or 'nothing'} is not an existing folder{meaning}")
    return folder


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
