"""One host for one data folder: two would remove each other's pictures."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_NAME = "in-use"


class FolderInUse(OSError):
    """Another host keeps its pictures and results in this folder."""


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other hosts out of a folder; the end of the process, however it comes, lets them in.

    Args:
        folder: Made if it is missing.

    Raises:
        FolderInUse: Another host is there.
        OSError: The folder cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / LOCK_NAME).open("ab") as file:
        try:
            _lock(file)
        except (BlockingIOError, PermissionError) as error:
            raise FolderInUse(
                f"another host uses the folder {folder}; give each its own --data-dir"
            ) from error
        yield


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
