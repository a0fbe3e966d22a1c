"""Jobs as the app inserts them, and what becomes of them."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from db.queues.expired import requeue_expired
from db.queues.queue import Queue
from flows.process_jobs import process_jobs
from storycanvas.faces.pictures.image_store import Category
from tasks.queues.report import DrainReport
from tests.support.flows.world import World, unique_portrait

WAIT_SECONDS, POLL_SECONDS = 90.0, 0.02
"""For a drain to come so far; its process takes seconds to start, on a busy machine many."""
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def stored(world: World, path: str) -> str:
    """Put a picture into the image store, where documents may lead, and return its address."""
    file = Path(path).read_bytes()
    return world.store.put(file, Category.SOURCE, "png", datetime.now(UTC)).url


def stored_portrait(world: World, name: str = "portrait") -> str:
    """A portrait of its own in the image store."""
    folder = world.folder / name
    folder.mkdir(exist_ok=True)
    return stored(world, unique_portrait(folder))


def insert_jobs(world: World, *jobs: dict[str, Any]) -> None:
    """Insert jobs as the app does, each a second younger than the one before."""
    world.database["facefusion_jobs"].insert_many(
        [
            {
                "id": f"job-{number}",
                "status": "queued",
                "created_at": BEGUN + timedelta(seconds=number),
                **job,
            }
            for number, job in enumerate(jobs)
        ]
    )


def the_job(world: World, number: int = 0) -> dict[str, Any]:
    """Read a job."""
    found = world.database["facefusion_jobs"].find_one({"id": f"job-{number}"})
    if found is None:
        pytest.fail(f"There is no job-{number}.")
    return found


def drained(**parameters: Any) -> DrainReport:
    """Drain the queue in this process, and check that the run's message is its report."""
    state: State[Any] = process_jobs(**{"wait_seconds": 0, **parameters}, return_state=True)
    report: DrainReport = state.result()
    assert state.message == report.summary()
    return report


def all_jobs(world: World) -> list[dict[str, Any]]:
    """Read all jobs, the first inserted first."""
    return [*world.database["facefusion_jobs"].find(sort=[("created_at", 1)])]


def wait_for_job(world: World, **fields: Any) -> None:
    """Wait until there is a job with these values."""
    until = time.monotonic() + WAIT_SECONDS
    while world.database["facefusion_jobs"].find_one(fields) is None:
        assert time.monotonic() < until, f"no job with {fields}"
        time.sleep(POLL_SECONDS)


def let_leases_end(world: World, queue: Queue) -> None:
    """Let the leases of a queue end, as if a minute had passed, and the wait after them, too."""
    documents = world.database[queue.collection]
    documents.update_many({"status": "processing"}, {"$set": {"lease_expires_at": BEGUN}})
    requeue_expired(world.database, queue)
    documents.update_many({"status": queue.waiting}, {"$set": {"not_before": None}})
