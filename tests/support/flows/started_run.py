"""Starts an age progression in a process of its own, which may be killed."""

import json
import os
import subprocess
import sys

RUN = (
    "import json, sys; from flows.age_progression import age_progression; "
    "print(age_progression(**json.loads(sys.argv[1])).summary())"
)


def start_run(prefect_url: str, **parameters: object) -> subprocess.Popen[str]:
    """Start it; its output is the report's summary."""
    environment = {**os.environ, "PREFECT_API_URL": prefect_url, "PREFECT_LOGGING_LEVEL": "ERROR"}
    command = [sys.executable, "-c", RUN, json.dumps(parameters)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
