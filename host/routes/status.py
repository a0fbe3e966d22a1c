"""`GET status`: what runs here and how busy it is; open to all, so without paths and secrets."""

from fastapi import APIRouter

from faces.contract import HostStatus
from host.engines.engine import Engine
from host.work_queue import WorkQueue


def status_routes(engine: Engine, queue: WorkQueue) -> APIRouter:
    """Build the status route of a host."""
    router = APIRouter(tags=["status"])

    @router.get("/status")
    async def status() -> HostStatus:
        """Say what the host runs, and how much of it."""
        return HostStatus(
            status=queue.state,
            engine=engine.name,
            engine_version=engine.version,
            gpu_slots=queue.slots,
            busy=queue.busy,
            queued=queue.queued,
            operations=queue.operations,
        )

    return router
