"""Limits of a test's own, their slots held in other threads, and threads that know the server."""

import contextvars
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate

from blocks.limits import create_limit
from storycanvas.gpu.guard.dispatcher import Dispatcher
from storycanvas.gpu.guard.limit import GpuLimit
from storycanvas.gpu.guard.presence import Note, read_notes

SHOWN_SECONDS = 120  # a process imports Prefect before it waits


class Threads(ThreadPoolExecutor):
    """Threads that know the test's Prefect server, as those of a flow run do."""

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        return super().submit(contextvars.copy_context().run, work, *given, **named)


def new_limit() -> str:
    """Create a limit of one slot."""
    name = f"gpu:{uuid4().hex}"
    create_limit(name, 1)
    return name


def change_limit(name: str, **fields: object) -> None:
    with get_client(sync_client=True) as client:
        client.update_global_concurrency_limit(name, GlobalConcurrencyLimitUpdate(**fields))


def taken(name: str) -> int:
    with get_client(sync_client=True) as client:
        return client.read_global_concurrency_limit_by_name(name).active_slots


@contextmanager
def holding(guard: Dispatcher, limit: str, name: str = "holder") -> Iterator[Callable[[], None]]:
    """Hold a slot in another thread, until the yielded function is called or the context ends."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with guard.slot(limit, name, 60):
            held.set()
            over.wait()

    with Threads() as pool:
        future = pool.submit(hold)
        assert held.wait(60)
        try:
            yield over.set
        finally:
            over.set()
            future.result()


def waiting_elsewhere(limit_name: str, processes: int = 1) -> list[Note]:
    """Wait until that many other processes are shown as waiting, and give their notes.

    A lane publishes its own short wait before it publishes that it holds the slot, and that second
    note comes late on a loaded machine: the notes of this process are left out.
    """
    deadline = time.monotonic() + SHOWN_SECONDS
    with GpuLimit(limit_name) as limit:
        while True:
            notes = [
                note for note in read_notes(limit.client, limit.name) if _waits_elsewhere(note)
            ]
            if len(notes) >= processes:
                return notes
            assert time.monotonic() < deadline, f"{len(notes)} of {processes} are shown as waiting"
            time.sleep(0.05)


def _waits_elsewhere(note: Note) -> bool:
    return note.process != os.getpid() and note.claim is not None and bool(note.waiting)
