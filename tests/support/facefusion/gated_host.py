"""A host whose FaceFusion waits at a gate, for a test to kill or stop it just then."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.support.facefusion.driven_host import DrivenHost
from tests.support.facefusion.gated_checkout import GatedCheckout


class Gated(NamedTuple):
    """A host whose first operation is at the gate."""

    host: DrivenHost
    checkout: GatedCheckout
    process: int
    start: Callable[..., DrivenHost]

    def killed(self) -> None:
        self.host.process.kill()
        self.host.process.wait()

    def restarted(self) -> DrivenHost:
        return self.start("--port", self.host.url.rpartition(":")[2])

    def results(self) -> list[Path]:
        return list((self.host.data_dir / "results").glob("*.json"))

    def notes(self) -> set[int]:
        """The processes of FaceFusion that the host has notes on."""
        folder = self.host.data_dir / "facefusion" / "pids"
        return {int(note.stem) for note in folder.glob("*.json")}


def interrupt_terminal(host: subprocess.Popen[str]) -> None:
    """Do what Ctrl-C does: a signal to every process of the host's own group."""
    own = psutil.Process(host.pid)
    group = os.getpgid(host.pid)
    for process in (*own.children(recursive=True), own):
        if os.getpgid(process.pid) == group:
            process.send_signal(signal.SIGINT)
