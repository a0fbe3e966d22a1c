"""The paths of the host contract for its status and its pictures."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Literal

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from storycanvas.faces.contract import ASSET_PREFIX, AssetAnswer, HostStatus
from storycanvas.faces.errors import BadField
from storycanvas.host.api.errors import documented
from storycanvas.host.engines.engine import Engine
from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.host.storage.assets import AssetStore, content_type

State = Literal["ok", "starting", "stopping", "failed"]
NOT_READY = 503
RETRY_STATUS_SECONDS = 5


def status_routes(
    engine: Engine, queue: WorkQueue, shortage: Callable[[], str | None]
) -> APIRouter:
    """Build the status route, which is open to all and so has no paths and no secrets.

    Args:
        engine: What does the work.
        queue: Who waits for it.
        shortage: Explains why nothing can be written; None while it can.
    """
    router = APIRouter(tags=["status"])

    @router.get("/status")
    def status(response: Response) -> HostStatus:
        """Report what the host runs, and how much of it; 503 while nothing can be done."""
        answer = status_of(engine, queue, shortage)
        if answer.status != "ok":
            response.status_code = NOT_READY
            response.headers["Retry-After"] = str(RETRY_STATUS_SECONDS)
        return answer

    return router


def status_of(engine: Engine, queue: WorkQueue, shortage: Callable[[], str | None]) -> HostStatus:
    """Describe a host as it is now; arguments as for `status_routes`."""
    state = _state(engine, queue)  # first: what is `ok` here has loaded all by the next line
    health, able, lack = engine.health, engine.able(), shortage()
    return HostStatus(
        status=state if able and not lack else _worse(state),
        engine=engine.name,
        engine_version=engine.version,
        engine_mode=engine.mode,
        engine_loaded=health.loaded,
        loading=health.loading,
        gpu_slots=queue.slots,
        busy=queue.busy,
        queued=queue.queued,
        operations=queue.operations,
        able=able,
        models=engine.models(),
        execution=health.execution,
        reason=" ".join(filter(None, (health.reason, lack))) or None,
    )


def _state(engine: Engine, queue: WorkQueue) -> State:
    """Prefer the queue's state where it stops or hangs: no engine state is worse."""
    return engine.readiness if queue.state == "ok" else queue.state


def _worse(state: State) -> State:
    """What a host is that can do nothing: `failed`, unless it is about to change."""
    return "failed" if state == "ok" else state


_BINARY = {"type": "string", "format": "binary"}
_UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": _BINARY}}
            },
            "application/octet-stream": {"schema": _BINARY},
        },
    }
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=86400, immutable",
}
_CHUNK = 256 * 1024


class PictureAnswer(Response):
    """Sends a kept picture, which is not removed while it is sent."""

    def __init__(self, assets: AssetStore, name: str) -> None:
        super().__init__()
        self._assets = assets
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the whole picture.

        The header `Range` is left out, as a server may (RFC 9110, 14.2): Starlette refuses a range
        that it cannot read in a form that is not the contract's.
        """
        with self._assets.held((self._name,)) as (path,):
            headers = _HEADERS | {"ETag": f'"{path.stem}"'}
            answer = FileResponse(path, media_type=content_type(path), headers=headers)
            if scope["method"] == "GET":
                # Not afterwards: by then the output may have been promised to the next caller.
                self._assets.fetched(self._name)
            sent = [pair for pair in scope["headers"] if pair[0] != b"range"]
            await answer({**scope, "headers": sent}, receive, send)


def asset_routes(assets: AssetStore, queue: WorkQueue) -> APIRouter:
    """Build the routes of a host's pictures."""
    router = APIRouter(prefix="/assets", tags=["assets"])

    @router.post("", responses=documented(400, 401, 413, 415, 503), openapi_extra=_UPLOAD_BODY)
    async def upload(request: Request) -> AssetAnswer:
        """Keep a picture, sent as form field `file` or as the bare body."""
        queue.check_open()
        with assets.incoming() as incoming:
            async for chunk in _chunks(request):
                await asyncio.to_thread(incoming.write, chunk)
            name = await asyncio.to_thread(assets.keep, incoming)
        return AssetAnswer(path=f"{ASSET_PREFIX}{name}")

    @router.head("/{name}", response_class=FileResponse, responses=documented(400, 401, 404, 422))
    async def has(name: str) -> Response:
        """Ask whether the host has a picture."""
        return PictureAnswer(assets, name)

    @router.get("/{name}", response_class=FileResponse, responses=documented(400, 401, 404, 422))
    async def download(name: str) -> Response:
        """Fetch a picture by its name, with or without `asset:`."""
        return PictureAnswer(assets, name)

    @router.delete("/{name}", status_code=204, responses=documented(400, 401, 503))
    def remove(name: str) -> None:
        """Remove a picture, no matter which caller sent it: now, or as soon as nothing uses it."""
        assets.remove(name)

    return router


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        async for chunk in request.stream():
            yield chunk
        return
    async with request.form(max_files=1, max_fields=8) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise BadField("file is missing: send the picture in the form field file.")
        while chunk := await file.read(_CHUNK):
            yield chunk
