"""A process that sends calls through the guard, all at once: LIMIT URL NAME COUNT PRIORITY."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx

from storycanvas.gpu.guard.queue import gpu_guard

WAIT_SECONDS = 120


def call(limit: str, url: str, name: str, priority: int) -> None:
    with gpu_guard(limit).slot(name, WAIT_SECONDS, priority=priority):
        httpx.post(f"{url}/{name}", timeout=WAIT_SECONDS)
    if name == "doomed":
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    limit, url, name, count, priority = sys.argv[1:]
    gpu_guard(limit).check()
    with ThreadPoolExecutor(max_workers=int(count)) as pool:
        for future in [
            pool.submit(call, limit, url, name, int(priority)) for _ in range(int(count))
        ]:
            future.result()
