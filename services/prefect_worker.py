"""A Prefect worker that runs deployed flows as processes of this machine."""

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from services.answers import ask
from services.local_service import LocalService
from services.prefect_environment import prefect_environment
from services.process import CREATE_TIME_TOLERANCE, Program
from services.record import Record

CODE = Path(__file__).resolve().parents[1]


class PrefectWorker(LocalService):
    """`prefect worker start`, which makes its work pool when there is none.

    It listens on no port: its `url` is the API that it serves, so that a worker of another server
    is told from this one.

    Attributes:
        api_url: The Prefect server whose runs it takes.
        pool: The work pool that it polls.
        worker: What it is called there.
        settings: What its flow runs find in their environment, on top of this process's own.
        home: Its `PREFECT_HOME`.
    """

    name = "prefect_worker"
    listens = False

    def __init__(
        self, *, api_url: str, pool: str, worker: str, settings: Mapping[str, str], home: Path
    ) -> None:
        self.api_url = api_url
        self.pool = pool
        self.worker = worker
        self.settings = settings
        self.home = home

    def program(self, directory: Path, port: int) -> Program:
        """Say what to start.

        Args:
            directory: Where the worker's log lies.
            port: Not used.

        Returns:
            The program.
        """
        del directory, port
        settings = {
            **self.settings,
            "PREFECT_API_URL": self.api_url,
            # Whoever presses "Run" waits for the next poll; the default is 10 s.
            "PREFECT_WORKER_QUERY_SECONDS": "1",
        }
        argv = [sys.executable, "-m", "prefect", "worker", "start"]
        argv += ["--pool", self.pool, "--name", self.worker, "--type", "process"]
        return Program(tuple(argv), CODE, prefect_environment(self.home, settings))

    def url(self, port: int) -> str:
        """Say whose runs it takes.

        Args:
            port: Not used.

        Returns:
            Address of the server's API.
        """
        del port
        return self.api_url

    def becomes_ready(self, record: Record) -> bool:
        """Look whether the server has heard of this very worker.

        Args:
            record: Where it runs.

        Returns:
            False when it has not yet.
        """
        workers = ask(f"{self.api_url}/work_pools/{self.pool}/workers/filter", {}) or []
        # Create times are rounded: a heartbeat of the worker before must not count for this one.
        since = record.create_time + CREATE_TIME_TOLERANCE
        return any(
            worker["name"] == self.worker and _seconds(worker["last_heartbeat_time"]) > since
            for worker in workers
        )


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
