"""Starts the processes of the guard's benchmark, and the Prefect server that they ask."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Self

from storycanvas.services.prefect import PrefectServer, prefect_environment
from storycanvas.services.shared import acquire
from tests.support.guard.ways import Order
from tests.support.paths import ROOT

START_SECONDS = 0.5
"""How long after the last process is ready all of them begin."""

END_SECONDS = 900.0
SAID_LINES = 40


class OwnPrefect:
    """A Prefect server of the benchmark's own, which can be restarted.

    Args:
        folder: Where it keeps its files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._said = folder / "said_by_processes.log"
        self._lease = acquire(PrefectServer(), folder)
        self.url = self._lease.url

    def restart(self) -> None:
        """End it and start it again at the same address.

        Raises:
            RuntimeError: Somebody took its port meanwhile.
        """
        port = self._lease.record.port
        self._lease.release()
        self._lease = acquire(PrefectServer(preferred_port=port), self._folder)
        if self._lease.url != self.url:
            raise RuntimeError(f"Port {port} of the Prefect server was taken; run it again.")

    def start(self, order: Order) -> subprocess.Popen[str]:
        """Start a process that asks this server; it begins when `begin` tells it to.

        Args:
            order: What it has to do.
        """
        settings = {"PREFECT_API_URL": self.url, "PREFECT_LOGGING_LEVEL": "CRITICAL"}
        with self._said.open("a") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.support.guard.worker", json.dumps(asdict(order))],
                cwd=ROOT,
                env=prefect_environment(self._folder, settings),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )

    def last_said(self) -> str:
        """Tell the last lines that the processes wrote to their standard error."""
        return "\n".join(self._said.read_text().splitlines()[-SAID_LINES:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lease.release()


def begin(process: subprocess.Popen[str], moment: float) -> None:
    """Tell a process when to begin; it may still be starting.

    Args:
        process: From `OwnPrefect.start`.
        moment: When, by the machine's monotonic clock in seconds.
    """
    if process.stdin is None:
        raise TypeError("The process was started without a pipe to its input.")
    process.stdin.write(f"{moment}\n")
    process.stdin.close()


def run_together(prefect: OwnPrefect, orders: Iterable[Order]) -> float:
    """Carry out orders in processes that begin together, and wait for their end.

    Returns:
        When they began, by the machine's monotonic clock in seconds.

    Raises:
        RuntimeError: A process failed.
        subprocess.TimeoutExpired: A process did not come to its end.
    """
    processes = [prefect.start(order) for order in orders]
    try:
        for process in processes:
            if not is_ready(process):
                raise RuntimeError(f"A process could not begin:\n{prefect.last_said()}")
        moment = time.monotonic() + START_SECONDS
        for process in processes:
            begin(process, moment)
        codes = [process.wait(END_SECONDS) for process in processes]
    finally:
        end(processes)
    if any(codes):
        raise RuntimeError(f"Processes returned {codes}:\n{prefect.last_said()}")
    return moment


def end(processes: Iterable[subprocess.Popen[str]]) -> None:
    """Kill what still runs and close the pipes."""
    for process in processes:
        process.kill()
        with process:
            pass


def is_ready(process: subprocess.Popen[str]) -> bool:
    """Wait until a process can begin; tell False when it failed before."""
    return process.stdout is not None and process.stdout.readline().strip() == "ready"
