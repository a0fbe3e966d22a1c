"""A process that calls hosts: `python -m tests.support.guard.worker TASK`.

It prints `ready` when all is imported and checked, then reads the moment to begin, by the machine's
monotonic clock: so processes begin together.
"""

import json
import sys
import time

import httpx

from tests.support.guard.ways import WAYS, Work, WorkerTask

CONNECTIONS = httpx.Limits(max_keepalive_connections=None)


def main(task: WorkerTask) -> None:
    """Make a task's calls."""
    with (
        httpx.Client(timeout=120, limits=CONNECTIONS) as client,
        WAYS[task.way](Work(task, client)) as run,
    ):
        print("ready", flush=True)
        time.sleep(max(0.0, float(sys.stdin.readline()) - time.monotonic()))
        run()


if __name__ == "__main__":
    main(WorkerTask(**json.loads(sys.argv[1])))
