"""Starts processes that call a host through the guard."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def start_caller(
    prefect_url: str, limit: str, url: str, name: str, count: int
) -> subprocess.Popen[bytes]:
    command = [sys.executable, HERE / "guarded_calls.py", limit, url, name, str(count)]
    environment = {
        **os.environ,
        "PREFECT_API_URL": prefect_url,
        "PREFECT_LOGGING_LEVEL": "ERROR",
    }
    return subprocess.Popen(command, cwd=HERE.parents[1], env=environment)
