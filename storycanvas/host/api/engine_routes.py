"""The paths of the host contract for the engine's memory."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from storycanvas.faces.contract import MAX_WAIT_SECONDS, HostStatus
from storycanvas.host.api.errors import documented
from storycanvas.host.operations.engine_memory import EngineMemory

UNDER_WAY = 202
MAX_SECONDS = 3600.0
"""Longest wait: TensorRT builds models for minutes, and a caller on the same machine has no proxy
before it."""
Wait = Annotated[
    float,
    Query(
        ge=0,
        le=MAX_SECONDS,
        allow_inf_nan=False,
        description="Longest wait for the end, in seconds; then 202 is answered.",
    ),
]


def engine_routes(memory: EngineMemory, status: Callable[[], HostStatus]) -> APIRouter:
    """Build the routes; both may be asked any number of times, and answer the host's status."""
    router = APIRouter(prefix="/engine", tags=["engine"])
    responses = {UNDER_WAY: {"model": HostStatus}, **documented(400, 401, 422, 503)}

    @router.post("/load", responses=responses)
    async def load(response: Response, wait: Wait = MAX_WAIT_SECONDS) -> HostStatus:
        """Start the engine and load what `--preload` names; 202 if that takes longer.

        Running operations end first.
        """
        response.status_code = 200 if await memory.load(wait) else UNDER_WAY
        return status()

    @router.post("/unload", responses=responses)
    async def unload(response: Response, wait: Wait = MAX_WAIT_SECONDS) -> HostStatus:
        """Finish the running operations, then free the engine's memory; 202 if they take longer.

        The next operation, or `engine/load`, loads it anew.
        """
        response.status_code = 200 if await memory.unload(wait) else UNDER_WAY
        return status()

    return router
