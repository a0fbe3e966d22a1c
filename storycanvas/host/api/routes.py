"""The paths of the host contract: status, pictures, and one for each operation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Header
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from storycanvas.faces.contract import (
    ASSET_PREFIX,
    IDEMPOTENCY_HEADER,
    AssetAnswer,
    HostStatus,
    OperationAnswer,
)
from storycanvas.faces.errors import BadField
from storycanvas.faces.operations import OPERATIONS, FaceOperation
from storycanvas.host.api.errors import documented
from storycanvas.host.api.requests import fingerprint, request_model
from storycanvas.host.engines.engine import Engine
from storycanvas.host.operations.runner import OperationRunner
from storycanvas.host.operations.runs import OperationRuns
from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.host.storage.assets import AssetStore, content_type


def status_routes(engine: Engine, queue: WorkQueue) -> APIRouter:
    """Build the status route, which is open to all and so has no paths and no secrets."""
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
    """Prefer the queue's state where it stops or hangs: no engine state is worse."""
    return engine.readiness if queue.state == "ok" else queue.state


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


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=IDEMPOTENCY_HEADER,
        pattern=r"^[A-Za-z0-9._:-]{1,200}$",
        description="The same key never runs a second time while its result is kept.",
    ),
]
Endpoint = Callable[..., Awaitable[Response]]


def operation_routes(runs: OperationRuns, runner: OperationRunner) -> APIRouter:
    """Build one `POST` route for each of the six operations."""
    router = APIRouter(tags=["operations"])
    for operation in OPERATIONS:
        router.add_api_route(
            f"/{operation.path}",
            _endpoint(operation, runs, runner),
            methods=["POST"],
            response_model=OperationAnswer,
            responses=documented(400, 401, 404, 413, 415, 422, 429, 500, 503, 504),
            name=operation.path,
            description=operation.__doc__ or "",
        )
    return router


def _endpoint(
    operation: type[FaceOperation], runs: OperationRuns, runner: OperationRunner
) -> Endpoint:
    async def run_operation(body: FaceOperation, key: IdempotencyKey = None) -> Response:
        answer = await runs.answer(key, fingerprint(body), partial(runner.run, body))
        return Response(answer, media_type="application/json")

    # FastAPI reads the request model from here; each path has its own.
    run_operation.__annotations__["body"] = request_model(operation)
    return run_operation
