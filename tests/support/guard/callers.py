"""Starts processes that call a host as runs do, and kills one that holds a slot."""

import os
import signal
import subprocess

from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.limits import create_limit
from tests.support.guard.counting_host import CountingHost
from tests.support.guard.processes import begin, worker_command
from tests.support.guard.ways import WorkerTask
from tests.support.paths import ROOT


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
