"""Files that are either whole or not there, whenever the power goes."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

PART_SUFFIX = ".part"


@contextlib.contextmanager
def part_file(folder: Path) -> Iterator[IO[bytes]]:
    """Open a new file under a temporary name that is gone afterwards, unless it was put in place.

    Args:
        folder: Where its final name will be.
    """
    # It is removed after it is closed: Windows removes no open file.
    part = tempfile.NamedTemporaryFile(dir=folder, suffix=PART_SUFFIX, delete=False)  # noqa: SIM115
    try:
        with part:
            yield part.file
    finally:
        Path(part.name).unlink(missing_ok=True)


def put_in_place(file: IO[bytes], target: Path) -> None:
    """Close a part file and give it its final name, once its bytes are on the disk.

    Args:
        file: An open part file in the folder of `target`.
        target: The final name; a file of that name is replaced.
    """
    file.flush()
    os.fsync(file.fileno())
    file.close()  # Windows renames no open file
    Path(file.name).replace(target)
    _sync_folder(target.parent)


def write_durably(target: Path, data: bytes) -> None:
    """Write a file that is whole as soon as it can be seen."""
    with part_file(target.parent) as file:
        file.write(data)
        put_in_place(file, target)


def remove_older(folder: Path, seconds: float) -> int:
    """Remove the files of a folder that were last written or used long ago.

    Args:
        folder: Looked at without its subfolders.
        seconds: Younger files stay.

    Returns:
        How many were removed.
    """
    oldest = time.time() - seconds
    old = [path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _sync_folder(folder: Path) -> None:
    """Make a new name last; Windows can neither open a folder nor needs this."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
