"""A run whose worker is gone ends, whatever has become of the first attempts to end it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

RUN = """
import time
from tasks import retries
retries.LOOK_SECONDS, retries.AGAIN_SECONDS = 0.05, 0.1
retries.watch_worker()

class Destroyed:
    def __del__(self):
        time.sleep(30)

Destroyed()
try:
    time.sleep(30)
except retries.WorkerKilled:
    pass
try:
    time.sleep(30)
finally:
    time.sleep(1)
    print("cleared up", file=__import__("sys").stderr)
"""
"""The first exception is lost in a destructor, the second in code that goes on after anything. The
third ends it, and breaks off no clearing up."""


def test_a_run_ends_although_its_worker_was_gone_before_it_could_look(tmp_path: Path) -> None:
    """Its parent lives here, as where the system gave the run another one: only the pipe tells."""
    reader, writer = os.pipe()
    os.close(reader)
    errors = tmp_path / "errors.txt"
    with errors.open("w") as said:
        run = subprocess.run(
            [sys.executable, "-c", RUN],
            cwd=ROOT,
            stdout=writer,
            stderr=said,
            timeout=25,
            check=False,
        )
    os.close(writer)

    assert run.returncode == 1
    assert errors.read_text().count("WorkerKilled: The worker's process was killed.") == 2
    assert "cleared up" in errors.read_text()
