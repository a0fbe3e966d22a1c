"""A real MongoDB server for trying out and for tests."""

import os
from pathlib import Path

from services import mongod_failures, replica_set
from services.errors import ServiceDied, ServiceError
from services.local_service import LocalService
from services.mongod_binary import find_mongod
from services.ports import LOOPBACK
from services.process import Program
from services.record import Record


class Mongod(LocalService):
    """`mongod` on loopback: a replica set of one node, so that transactions work, or standalone.

    Attributes:
        standalone: Whether it runs without a replica set, as most StoryCanvas installations do.
    """

    name = "mongod"

    def __init__(self, *, standalone: bool = False, wished_port: int | None = None) -> None:
        self.standalone = standalone
        self.wished_port = wished_port

    def program(self, directory: Path, port: int) -> Program:
        """Say what to start: small, quiet, loopback only, all its files in its directory.

        Args:
            directory: Where the service keeps its files.
            port: Where it has to listen.

        Returns:
            The program.

        Raises:
            MongodMissing: This machine has none.
        """
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
        """Say what a client connects to.

        Args:
            port: Where the server listens.

        Returns:
            A connection string.
        """
        option = "directConnection=true" if self.standalone else f"replicaSet={replica_set.NAME}"
        return f"mongodb://{LOOPBACK}:{port}/?{option}"

    def becomes_ready(self, record: Record) -> bool:
        """Make one try to have the server take writes.

        Args:
            record: Where it runs.

        Returns:
            False when it needs more time.
        """
        if self.standalone:
            return replica_set.is_writable(record.port)
        return replica_set.becomes_primary(record.port)

    def explain(self, died: ServiceDied) -> ServiceError:
        """Say what an early end means.

        Args:
            died: What is known about the end.

        Returns:
            The error to raise.
        """
        return mongod_failures.explain(died)
