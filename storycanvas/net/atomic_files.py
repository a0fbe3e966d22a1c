"""Files that are either whole or absent whenever the power goes, and locks between processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO
from uuid import uuid4

import filelock

PART_SUFFIX = ".part"
PRIVATE = 0o600
"""Mode of a file that only its owner reads and writes."""
AS_UMASK = 0o666
"""Mode of a file for all whom the umask of this process lets read or write."""


@contextmanager
def part_file(folder: Path, mode: int = PRIVATE) -> Iterator[IO[bytes]]:
    """Open a new file under a temporary name that is gone afterwards, unless it was renamed.

    Args:
        folder: Where its final name will be: a rename is atomic within one file system only.
        mode: Its permissions, of which the umask takes away.
    """
    part = folder / f"{uuid4().hex}{PART_SUFFIX}"
    try:
        with open(str(part), "x+b", opener=partial(os.open, mode=mode)) as file:
            yield file
    finally:
        part.unlink(missing_ok=True)  # after it is closed: Windows removes no open file


def flush_and_close(file: IO[bytes]) -> None:
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


def write_atomically(
    target: Path, data: bytes, mode: int = PRIVATE, *, durable: bool = True
) -> None:
    """Write a file that is whole as soon as it is visible; a file of that name is replaced.

    Args:
        target: The final name, in a folder that exists.
        data: All of its bytes.
        mode: Its permissions, of which the umask takes away.
        durable: Whether it survives a power cut from the moment this returns. Waiting for the disk
            takes milliseconds, which a file that means nothing after a restart need not cost.

    Raises:
        OSError: It cannot be written; an older file of that name is unchanged.
    """
    with part_file(target.parent, mode) as file:
        file.write(data)
        if durable:
            flush_and_close(file)
        file.close()
        Path(file.name).replace(target)
    if durable:
        sync_folder(target.parent)


def create_atomically(target: Path, data: bytes, mode: int = PRIVATE) -> bool:
    """Write a durable file that is whole as soon as it is visible, unless one of that name exists.

    Of several processes that create it at the same moment, one does. Where a file system has no
    hard links, such as FAT, the last one does.

    Returns:
        Whether this call created it.
    """
    if target.exists():
        return False
    with part_file(target.parent, mode) as file:
        file.write(data)
        flush_and_close(file)
        try:
            os.link(file.name, target)
        except FileExistsError:
            return False
        except OSError:  # no hard links there, or no room, which the rename meets as well
            Path(file.name).replace(target)
    sync_folder(target.parent)
    return True


class LockHeld(OSError):
    """Another process holds the lock."""


@contextmanager
def exclusive_lock(path: Path, refusal: str | None = None) -> Iterator[None]:
    """Hold a lock that the end of the process releases, however it ends.

    Args:
        path: The lock's file, which stays: two processes could hold two files of one name.
        refusal: What to raise at once while another process holds it; None waits.

    Raises:
        LockHeld: With the text of `refusal`.
        OSError: The file cannot be opened.
    """
    lock = filelock.FileLock(path, timeout=-1 if refusal is None else 0, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise LockHeld(refusal) from error
    try:
        yield
    finally:
        lock.release()
