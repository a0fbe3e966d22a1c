"""Starts processes that call a host through the guard."""

import os
import signal
import subprocess
import sys

from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.limits import create_limit
from tests.support.guard.counting_host import CountingHost
from tests.support.paths import ROOT


def start_caller(
    prefect_url: str, limit: str, url: str, name: str, count: int, priority: int = 0
) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "tests.support.guard.guarded_calls",
        limit,
        url,
        name,
        str(count),
        str(priority),
    ]
    environment = {
        **os.environ,
        "PREFECT_API_URL": prefect_url,
        "PREFECT_LOGGING_LEVEL": "ERROR",
    }
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def kill_holder(prefect_url: str, limit: str) -> str:
    """Make a limit of one slot, and leave the slot to a process that is killed."""
    host = CountingHost(0.0)
    with temporary_settings({PREFECT_API_URL: prefect_url}):
        create_limit(limit, 1)
    code = start_caller(prefect_url, limit, host.url, "doomed", 1).wait(60)
    host.close()
    assert code == -signal.SIGKILL
    return limit
