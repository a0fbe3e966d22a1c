"""Acting on a face host while a run uses it."""

import threading
from collections.abc import Callable

import psutil

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.services.shared import Lease

POLL_SECONDS = 0.01


def kill(lease: Lease) -> None:
    """Kill a local service's process and wait for its end."""
    process = psutil.Process(lease.record.identity.pid)
    process.kill()
    process.wait()


def after_operations(url: str, count: int, then: Callable[[], None]) -> threading.Thread:
    """Call a function as soon as a host has performed so many operations."""

    def watch() -> None:
        ended = threading.Event()
        with FaceHostClient(url) as host:
            while host.status().operations < count:
                ended.wait(POLL_SECONDS)
        then()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread
