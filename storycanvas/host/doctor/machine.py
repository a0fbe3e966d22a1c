"""Checks of the clock, allowed folders, the data folder and this Python."""

import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from storycanvas.host.doctor.findings import Finding, failed, ok, warning

CLOCK = "clock"
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
LEAD_SECONDS = 300.0
"""Seconds by which a file may be newer than now before the clock is doubted."""


@dataclass(frozen=True)
class ClockFacts:
    """The time of this machine and of the newest picture or result, in seconds since 1970."""

    now: float
    newest: float | None


def collect_clock(data_dir: Path) -> ClockFacts:
    """Read the clock and the times of the host's files."""
    files = (path for path in data_dir.glob("*/*") if path.is_file())
    return ClockFacts(time.time(), max((path.stat().st_mtime for path in files), default=None))


def evaluate_clock(facts: ClockFacts) -> Finding:
    """Check whether the time can be right."""
    now = datetime.fromtimestamp(facts.now, UTC)
    seen = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    fix = "set the clock, and let the system keep it: timedatectl set-ntp true"
    if not EARLIEST <= now < LATEST:
        return warning(CLOCK, seen, fix)
    if facts.newest is not None and facts.newest > facts.now + LEAD_SECONDS:
        ahead = facts.newest - facts.now
        return warning(CLOCK, f"{seen}, but a kept file is {ahead:,.0f} s newer", fix)
    return ok(CLOCK, seen)


ROOTS = "allow-root"


@dataclass(frozen=True)
class RootFacts:
    """An allowed folder, or that of published outputs, links followed.

    Attributes:
        path: Where it is.
        is_folder: Whether it is there.
        usable: Whether this user may enter it, and read it, or write to it where it is published.
        published: Whether outputs are shown from there.
    """

    path: Path
    is_folder: bool
    usable: bool
    published: bool = False


def collect_roots(roots: Sequence[str], publish: str | None = None) -> tuple[RootFacts, ...]:
    """Inspect each of the folders, and that of published outputs."""
    paths = [_folder_of(root) for root in roots]
    found = [RootFacts(path, path.is_dir(), os.access(path, os.R_OK | os.X_OK)) for path in paths]
    if publish is not None:
        path = Path(publish.rpartition("=")[0]).expanduser().resolve()
        found.append(RootFacts(path, path.is_dir(), os.access(path, os.W_OK | os.X_OK), True))
    return tuple(found)


def _folder_of(root: str) -> Path:
    """Take the folder out of `NAME=FOLDER`."""
    whole = Path(root).expanduser()
    name, _, folder = root.partition("=")
    named = bool(folder) and Path(name).is_absolute() and not whole.is_dir()
    return (Path(folder).expanduser() if named else whole).resolve()


def evaluate_roots(roots: Sequence[RootFacts]) -> tuple[Finding, ...]:
    """Check whether pictures in them can be read."""
    if not roots:
        return (ok(ROOTS, "none: pictures come by upload or URL"),)
    return tuple(_evaluate_root(root) for root in roots)


def _evaluate_root(root: RootFacts) -> Finding:
    if not root.is_folder:
        return failed(ROOTS, f"{root.path} is not a folder", "make it, or name another")
    if root.published:
        seen = f"outputs are shown from {root.path}"
        if root.usable:
            return ok(ROOTS, seen)
        return failed(ROOTS, f"{seen}, which this user cannot write to", "give w and x on it")
    if not root.usable:
        seen = f"{root.path} cannot be read by this user"
        return failed(ROOTS, seen, "give this user r and x on it")
    if root.path == root.path.parent:
        seen = f"{root.path} is the whole file system"
        return warning(ROOTS, seen, "name the folder of the pictures")
    return ok(ROOTS, f"{root.path} can be read")


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


def collect_storage(data_dir: Path) -> StorageFacts:
    """Inspect the data folder, without making or changing anything."""
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


def evaluate_storage(facts: StorageFacts, keep_gib: float | None) -> tuple[Finding, Finding]:
    """Check the folder and its room; the host may keep `keep_gib`, None is without a bound."""
    return _evaluate_folder(facts), _evaluate_room(facts, keep_gib)


def _evaluate_folder(facts: StorageFacts) -> Finding:
    if not facts.is_folder:
        return failed(DATA_DIR, f"{facts.nearest} is not a folder", "name another --data-dir")
    if not facts.writable:
        fix = f"give {facts.path} to this user, or name another --data-dir"
        return failed(DATA_DIR, f"{facts.nearest} cannot be written by this user", fix)
    made = "" if facts.path == facts.nearest else ", made at the first start"
    return ok(DATA_DIR, f"{facts.path}{made}")


def _evaluate_room(facts: StorageFacts, keep_gib: float | None) -> Finding:
    free, used = facts.free_bytes / GIB, facts.used_bytes / GIB
    seen = f"{free:,.1f} GiB free, {used:,.1f} GiB kept"
    if facts.free_bytes < LEAST_FREE_BYTES:
        return failed(DISK, seen, "make room on the disk, or name another --data-dir")
    if keep_gib is not None and free + used < keep_gib:
        fix = f"--keep-gib {max(0.1, 0.9 * (free + used)):.1f}, or make room on the disk"
        return warning(DISK, f"{seen}, {keep_gib:g} GiB allowed", fix)
    return ok(DISK, seen)


PYTHON = "python"
PACKAGES = (
    "fastapi",
    "fastapi-offline",
    "filelock",
    "httpx",
    "isal",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "pillow-heif",
    "prometheus-client",
    "psutil",
    "pydantic",
    "python-multipart",
    "stamina",
    "uvicorn",
)
"""Distributions of the project's requirements and of its extra `host`."""
OLDEST, NEWEST = (3, 11), (3, 14)
"""Python versions, both included, as `requires-python` of the project."""
_INSTALL = "pip install --require-hashes -r requirements/host.txt"


@dataclass(frozen=True)
class PythonFacts:
    """The interpreter that runs the host.

    Attributes:
        version: Major and minor number.
        executable: Where it is.
        packages: Version by distribution; None if it is not installed.
        is_facefusions: Whether it lies in the environment of FaceFusion.
    """

    version: tuple[int, int]
    executable: str
    packages: Mapping[str, str | None]
    is_facefusions: bool


def collect_python(facefusion_python: Path | None) -> PythonFacts:
    """Inspect the interpreter that runs this; compare it to FaceFusion's, if that is known."""
    return PythonFacts(
        sys.version_info[:2],
        sys.executable,
        {name: _installed(name) for name in PACKAGES},
        facefusion_python is not None and facefusion_python.parent.parent == Path(sys.prefix),
    )


def evaluate_python(facts: PythonFacts) -> Finding:
    """Check whether the host can run in it."""
    name = f"Python {'.'.join(map(str, facts.version))} at {facts.executable}"
    missing = [package for package, found in facts.packages.items() if found is None]
    if not OLDEST <= facts.version <= NEWEST:
        wanted = " to ".join(".".join(map(str, bound)) for bound in (OLDEST, NEWEST))
        return failed(PYTHON, name, f"make a virtual environment with Python {wanted}")
    if missing:
        return failed(PYTHON, f"{name} lacks {', '.join(missing)}", _INSTALL)
    if facts.is_facefusions:
        fix = "give the host a virtual environment of its own, so that neither changes the other"
        return warning(PYTHON, f"{name} is FaceFusion's own", fix)
    return ok(PYTHON, f"{name}, {len(facts.packages)} packages")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
