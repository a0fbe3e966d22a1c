"""Starts processes that call hosts together, and the Prefect server that they ask."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Self

from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.limits import create_limit
from storycanvas.services.prefect import PrefectServer, prefect_environment
from storycanvas.services.shared import acquire
from tests.support.guard.counting_host import CountingHost
from tests.support.guard.ways import WorkerTask
from tests.support.paths import ROOT

START_SECONDS = 0.5
"""How long after the last process is ready all of them begin."""

END_SECONDS = 900.0
DBOS = "dbos==3.4.0"
DBOS_POLL_SECONDS = {"dbos": 1.0, "dbos, polled fast": 0.05}
"""How often a DBOS process looks at its queue, by way; 1 s is the default of DBOS."""

ERROR_LINES = 40


class OwnPrefect:
    """A Prefect server of the benchmark's own, which can be restarted.

    Args:
        folder: Where it keeps its files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "processes.log"
        self._lease = acquire(PrefectServer(), folder)
        self.url = self._lease.url

    def restart(self) -> None:
        """End it and start it again at the same address.

        Raises:
            RuntimeError: Another program took its port meanwhile.
        """
        port = self._lease.record.port
        self._lease.release()
        self._lease = acquire(PrefectServer(preferred_port=port), self._folder)
        if self._lease.url != self.url:
            raise RuntimeError(f"Port {port} of the Prefect server was taken; run it again.")

    def start(self, task: WorkerTask) -> subprocess.Popen[str]:
        """Start a process that asks this server; it waits for `begin`."""
        settings = {"PREFECT_API_URL": self.url, "PREFECT_LOGGING_LEVEL": "CRITICAL"}
        with self._log.open("a") as log:
            return subprocess.Popen(
                self._command(task),
                cwd=ROOT,
                env=prefect_environment(self._folder, settings),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def _command(self, task: WorkerTask) -> list[str]:
        poll_seconds = DBOS_POLL_SECONDS.get(task.way)
        if poll_seconds is None:
            return worker_command(task)
        database = self._folder / f"{task.limits[0].partition(':')[2]}.sqlite"
        program = str(ROOT / "benchmarks" / "dbos_worker.py")
        arguments = (str(database), str(poll_seconds), json.dumps(asdict(task)))
        return [str(dbos_python()), program, *arguments]

    def last_errors(self) -> str:
        """Read the last lines of the processes' standard error."""
        return "\n".join(self._log.read_text().splitlines()[-ERROR_LINES:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lease.release()


def dbos_python() -> Path:
    """Find the Python that has DBOS, in an environment made on first use."""
    folder = ROOT / ".storycanvas" / "bench-dbos"
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", DBOS], check=True)
        (folder / "installed").touch()
    return python


def worker_command(task: WorkerTask) -> list[str]:
    """Build the command line of a process that makes a task's calls."""
    return [sys.executable, "-m", "tests.support.guard.worker", json.dumps(asdict(task))]


def begin(process: subprocess.Popen[str], moment: float) -> None:
    """Let a process begin at a moment of the monotonic clock, possibly while it starts."""
    if process.stdin is None:
        raise TypeError("The process was started without a pipe to its input.")
    process.stdin.write(f"{moment}\n")
    process.stdin.close()


def run_together(prefect: OwnPrefect, tasks: Iterable[WorkerTask]) -> float:
    """Do tasks in processes that begin together, and wait for their end.

    Returns:
        When they began, by the machine's monotonic clock in seconds.

    Raises:
        RuntimeError: A process failed.
        subprocess.TimeoutExpired: A process did not come to its end.
    """
    processes = [prefect.start(task) for task in tasks]
    try:
        for process in processes:
            if not is_ready(process):
                raise RuntimeError(f"A process could not begin:\n{prefect.last_errors()}")
        moment = time.monotonic() + START_SECONDS
        for process in processes:
            begin(process, moment)
        codes = [process.wait(END_SECONDS) for process in processes]
    finally:
        end(processes)
    if any(codes):
        raise RuntimeError(f"Processes returned {codes}:\n{prefect.last_errors()}")
    return moment


def end(processes: Iterable[subprocess.Popen[str]]) -> None:
    """Kill what still runs and close the pipes."""
    for process in processes:
        process.kill()
        with process:
            pass


def is_ready(process: subprocess.Popen[str]) -> bool:
    """Wait until a process can begin; False when it failed before."""
    return process.stdout is not None and process.stdout.readline().strip() == "ready"


def start_caller(prefect_url: str, task: WorkerTask) -> subprocess.Popen[str]:
    """Start a process that begins its calls at once."""
    quiet = {"PREFECT_API_URL": prefect_url, "PREFECT_LOGGING_LEVEL": "ERROR"}
    process = subprocess.Popen(
        worker_command(task),
        cwd=ROOT,
        env={**os.environ, **quiet},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    begin(process, 0.0)
    return process


def kill_holder(prefect_url: str, limit: str) -> str:
    """Make a limit of one slot, and leave the slot to a process that is killed."""
    host = CountingHost(0.0)
    with temporary_settings({PREFECT_API_URL: prefect_url}):
        create_limit(limit, 1)
    task = WorkerTask("guarded", "doomed", 1, [limit], [host.url], dies=True)
    code = start_caller(prefect_url, task).wait(60)
    host.close()
    assert code == -signal.SIGKILL
    return limit
