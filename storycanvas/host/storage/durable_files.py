"""Files that are either whole or not there, whenever the power goes."""

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from storycanvas.faces.errors import HostNotReady

PART_SUFFIX = ".part"
FULL_RETRY_AFTER = 60
"""Seconds; somebody has to make room first."""
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""The disk is full, or what this program may write is used up; Windows has no quota error."""


@contextlib.contextmanager
def refused_when_full() -> Iterator[None]:
    """Turn the error of a full disk into a refusal that says what to do.

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


@contextlib.contextmanager
def part_file(folder: Path) -> Iterator[IO[bytes]]:
    """Open a new file under a temporary name that is gone afterwards, unless it was renamed.

    Args:
        folder: Where its final name will be.

    Raises:
        HostNotReady: The disk is full.
    """
    with refused_when_full():
        # It is removed after it is closed: Windows removes no open file.
        part = tempfile.NamedTemporaryFile(dir=folder, suffix=PART_SUFFIX, delete=False)  # noqa: SIM115
        try:
            with part:
                yield part.file
        finally:
            Path(part.name).unlink(missing_ok=True)


def settle(file: IO[bytes]) -> None:
    """Close a part file once its bytes are on the disk, so that it can be renamed."""
    file.flush()
    os.fsync(file.fileno())
    file.close()  # Windows renames no open file


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last; Windows can neither open a folder nor needs this."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(target: Path, data: bytes) -> None:
    """Write a file that is whole as soon as it can be seen.

    Args:
        target: The final name; a file of that name is replaced.
        data: All of its bytes.

    Raises:
        HostNotReady: The disk is full; nothing was written.
    """
    with part_file(target.parent) as file:
        file.write(data)
        settle(file)
        Path(file.name).replace(target)
        sync_folder(target.parent)


def remove_older(folder: Path, seconds: float, suffix: str = "") -> int:
    """Remove the files of a folder that were last written or used long ago.

    Args:
        folder: Looked at without its subfolders.
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
    """Remove what a killed host left half-written, and say how many files; only while idle."""
    parts = list(folder.glob(f"*{PART_SUFFIX}"))
    for part in parts:
        part.unlink(missing_ok=True)
    return len(parts)


def _is_older(entry: os.DirEntry[str], oldest: float) -> bool:
    try:
        return entry.is_file() and entry.stat().st_mtime < oldest
    except FileNotFoundError:  # somebody else removed it meanwhile
        return False
