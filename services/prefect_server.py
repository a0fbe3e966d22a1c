"""Prefect's server with its UI, its files in the state directory."""

import sys
from pathlib import Path

from services.answers import ask
from services.local_service import LocalService
from services.ports import LOOPBACK
from services.prefect_environment import prefect_environment
from services.process import Program
from services.record import Record

LEASES_LOOKED_AT_SECONDS = "1"
"""How often the server looks for leases that ran out; by itself it would leave a slot for 15 s."""

LEASES_IN_FILES = "prefect.server.concurrency.lease_storage.filesystem"


class PrefectServer(LocalService):
    """`prefect server start` on loopback; its `url` is the address of the API."""

    name = "prefect_server"

    def __init__(self, *, wished_port: int | None = None) -> None:
        self.wished_port = wished_port

    def program(self, directory: Path, port: int) -> Program:
        """Say what to start.

        Args:
            directory: Where the server keeps its files.
            port: Where it has to listen.

        Returns:
            The program.
        """
        settings = {
            # A lease kept in memory is lost when the server restarts, and its slot with it.
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": LEASES_IN_FILES,
            "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": LEASES_LOOKED_AT_SECONDS,
            # On any port but 4200 the UI would call port 4200.
            "PREFECT_SERVER_UI_API_URL": self.url(port),
        }
        argv = [sys.executable, "-m", "prefect", "server", "start"]
        argv += ["--host", LOOPBACK, "--port", str(port)]
        return Program(tuple(argv), directory, prefect_environment(directory, settings))

    def url(self, port: int) -> str:
        """Say where the API is.

        Args:
            port: Where the server listens.

        Returns:
            What `PREFECT_API_URL` has to be.
        """
        return f"http://{LOOPBACK}:{port}/api"

    def becomes_ready(self, record: Record) -> bool:
        """Make one try to get the server's health.

        Args:
            record: Where it runs.

        Returns:
            False when it does not answer yet.
        """
        return ask(f"{record.url}/health") is True
