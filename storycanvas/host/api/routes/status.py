"""`GET status`: what runs here and how busy it is; open to all, so without paths and secrets."""

from typing import Literal

from fastapi import APIRouter

from storycanvas.faces.contract import HostStatus
from storycanvas.host.engines.engine import Engine
from storycanvas.host.operations.work_queue import WorkQueue


def status_routes(engine: Engine, queue: WorkQueue) -> APIRouter:
    """Build the status route of a host."""
    router = APIRouter(tags=["status"])

    @router.get("/status")
    def status() -> HostStatus:
        """Report what the host runs, and how much of it."""
        return HostStatus(
            status=_state(engine, queue),
            engine=engine.name,
            engine_version=engine.version,
            engine_mode=engine.mode,
            gpu_slots=queue.slots,
            busy=queue.busy,
            queued=queue.queued,
            operations=queue.operations,
            able=engine.able(),
            models=engine.models(),
        )

    return router


def _state(engine: Engine, queue: WorkQueue) -> Literal["ok", "starting", "stopping", "failed"]:
    """A queue that stops or hangs is the worse news."""
    return engine.readiness if queue.state == "ok" else queue.state
