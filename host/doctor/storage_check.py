"""Can the host write where it keeps pictures and results, and is there room for them?"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from host.doctor.finding import Finding, failed, ok, warning

DATA_DIR = "data-dir"
DISK = "disk"
GIB = 1024**3
LEAST_FREE_BYTES = GIB // 4
"""With less, a few large pictures fill the disk."""


@dataclass(frozen=True)
class StorageFacts:
    """The data folder, which the host makes at its first start.

    Attributes:
        path: Where it is, absolute.
        nearest: The folder itself, or the nearest one above it that exists.
        is_folder: Whether that is a folder at all.
        writable: Whether this user may write there.
        free_bytes: Room on its disk.
        used_bytes: What the host keeps there now.
    """

    path: Path
    nearest: Path
    is_folder: bool
    writable: bool
    free_bytes: int
    used_bytes: int


def look_at_storage(data_dir: Path) -> StorageFacts:
    """Look at the data folder, without making or changing anything."""
    path = data_dir.expanduser().absolute()
    nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    files = (file for file in path.glob("*/*") if file.is_file())
    return StorageFacts(
        path,
        nearest,
        nearest.is_dir(),
        os.access(nearest, os.W_OK | os.X_OK),
        shutil.disk_usage(nearest).free,
        sum(file.stat().st_size for file in files),
    )


def judge_storage(facts: StorageFacts, keep_gib: float | None) -> tuple[Finding, Finding]:
    """Judge the folder and the room.

    Args:
        facts: What was seen.
        keep_gib: How much the host may keep, in GiB; None if it is not bounded.
    """
    return _judge_folder(facts), _judge_room(facts, keep_gib)


def _judge_folder(facts: StorageFacts) -> Finding:
    if not facts.is_folder:
        return failed(DATA_DIR, f"{facts.nearest} is no folder", "name another --data-dir")
    if not facts.writable:
        return failed(
            DATA_DIR,
            f"{facts.nearest} cannot be written by this user",
            f"give {facts.path} to this user, or name another --data-dir",
        )
    made = "" if facts.path == facts.nearest else ", made at the first start"
    return ok(DATA_DIR, f"{facts.path}{made}")


def _judge_room(facts: StorageFacts, keep_gib: float | None) -> Finding:
    free, used = facts.free_bytes / GIB, facts.used_bytes / GIB
    seen = f"{free:,.1f} GiB free, {used:,.1f} GiB kept"
    if facts.free_bytes < LEAST_FREE_BYTES:
        return failed(DISK, seen, "make room on the disk, or name another --data-dir")
    if keep_gib is not None and free + used < keep_gib:
        return warning(
            DISK,
            f"{seen}, {keep_gib:g} GiB allowed",
            f"--keep-gib {max(0.1, 0.9 * (free + used)):.1f}, or make room on the disk",
        )
    return ok(DISK, seen)
