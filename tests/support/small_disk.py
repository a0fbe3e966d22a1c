"""A real file system of a few megabytes, for what happens when it is full."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEGABYTE = 1024 * 1024


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount a tmpfs; skip the test where this user may not mount."""
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    options = f"size={megabytes}m"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, check=False).returncode:
        folder.rmdir()
        pytest.skip("this user may not mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def fill(disk: Path, *, leave: int) -> Path:
    """Write a file that leaves so many bytes free, at most."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        file.write(b"\0" * max(shutil.disk_usage(disk).free - leave, 0))
    return filler


def make_read_only(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing be written below a folder, also while a program has files open there.

    A file system with open files cannot be mounted anew as read-only, but a second one over it can.
    """
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
