"""Local services of tests: the quickest there is, a process that uses one, a Prefect server."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import pytest
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker

from storycanvas.services.local_service import LocalService
from storycanvas.services.ports import LOOPBACK, is_free
from storycanvas.services.prefect import PrefectServer
from storycanvas.services.process import Program
from storycanvas.services.record import Record
from storycanvas.services.shared import Lease, acquire
from tests.support.paths import ROOT

DRAIN_SECONDS = 10.0
FIRST_START_SECONDS = 170.0
"""Ten times what it takes to make the database on an idle machine."""

UNUSED = (
    "CANCELLATION_CLEANUP",
    "CLEANUP_RECONCILER",
    "FOREMAN",
    "LATE_RUNS",
    "PAUSE_EXPIRATIONS",
    "SCHEDULER",
    "TRIGGERS",
)
"""Services of Prefect's server that serve deployments and automations: a fifth of its work."""

SERVE = ("-m", "http.server", "--bind", LOOPBACK)
USE_MONGOD = """
import sys
from pathlib import Path
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire
with acquire(Mongod(), Path(sys.argv[1])) as lease:
    print(lease.url, flush=True)
    sys.stdin.read()
"""


class WebServer(LocalService):
    """The quickest real service there is, or a program that takes its place."""

    name = "web_server"

    def __init__(self, *arguments: str, path: str = "", preferred_port: int | None = None) -> None:
        self.arguments = arguments
        self.path = path
        self.preferred_port = preferred_port

    def program(self, directory: Path, port: int) -> Program:
        arguments = self.arguments or (*SERVE, str(port))
        return Program((sys.executable, *arguments), directory, {})

    def url(self, port: int) -> str:
        return f"http://{LOOPBACK}:{port}{self.path}"

    def becomes_ready(self, record: Record) -> bool:
        return not is_free(record.port)


class MongodUser:
    """Another process that uses the `mongod` of a state directory."""

    def __init__(self, state_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USE_MONGOD, str(state_dir)],
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def connected_to(self) -> str:
        """Wait until it has its server."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(30) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.wait(30)


@contextmanager
def running_prefect(
    state_dir: Path, preferred_port: int | None = None, database: str | None = None
) -> Iterator[Lease]:
    """Use a Prefect server that plans no runs; what this process has for it is sent before it ends.

    Else Prefect's threads go on trying until the interpreter ends, and then print that they failed.
    """
    server = PrefectServer(database=database, preferred_port=preferred_port)
    with ExitStack() as undo:
        with pytest.MonkeyPatch.context() as environment:
            for service in UNUSED:
                environment.setenv(f"PREFECT_SERVER_SERVICES_{service}_ENABLED", "false")
            lease = undo.enter_context(acquire(server, state_dir, ready_within=FIRST_START_SECONDS))
        try:
            yield lease
        finally:
            EventsWorker.drain_all(timeout=DRAIN_SECONDS)
            APILogWorker.drain_all(timeout=DRAIN_SECONDS)
