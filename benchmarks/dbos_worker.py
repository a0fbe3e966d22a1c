"""A process that sends its calls through a DBOS queue of concurrency 1: DATABASE POLL TASK.

It runs in an environment of its own, so it imports nothing of the project. Like every worker of the
benchmark it prints `ready`, then reads the moment to begin, by the machine's monotonic clock.
"""

import json
import sys
import time
import urllib.request

from dbos import DBOS


@DBOS.workflow()
def call(url: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=120).close()  # noqa: S310 - loopback


def main(database: str, poll_seconds: float, task: dict[str, str]) -> None:
    DBOS(
        config={
            "name": "gpu-benchmark",
            "system_database_url": f"sqlite:///{database}",
            "executor_id": task["name"],
            "application_version": "1",
            "log_level": "ERROR",
            "use_listen_notify": False,
        }
    )
    DBOS.launch()
    queue = DBOS.register_queue("gpu", global_concurrency=1, polling_interval_sec=poll_seconds)
    print("ready", flush=True)
    time.sleep(max(0.0, float(sys.stdin.readline()) - time.monotonic()))
    address = f"{task['urls'][0]}/{task['name']}"
    for handle in [queue.enqueue(call, f"{address}/{number}") for number in range(task["calls"])]:
        handle.get_result()
    DBOS.destroy()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), json.loads(sys.argv[3]))
