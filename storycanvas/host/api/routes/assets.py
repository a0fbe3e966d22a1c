"""`assets`: pictures on their way to the host and back."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from storycanvas.faces.contract import ASSET_PREFIX, AssetAnswer
from storycanvas.faces.errors import BadField
from storycanvas.host.api.errors import documented
from storycanvas.host.operations.work_queue import WorkQueue
from storycanvas.host.storage.assets import AssetStore, content_type


def whole_file(scope: Scope) -> Scope:
    """Leave out the header `Range`.

    A server may ignore it (RFC 9110, 14.2), and a range that cannot be read would be refused by
    Starlette in a form that is not the contract's.

    Args:
        scope: Of a request for a file.
    """
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"range"]}


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
    """Sends a kept picture, which stays while it is sent."""

    def __init__(self, assets: AssetStore, name: str) -> None:
        super().__init__()
        self._assets = assets
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the picture.

        Raises:
            BadField: That is not the name of a picture.
            PictureNotFound: The host has no such picture.
        """
        with self._assets.held((self._name,)) as (path,):
            headers = _HEADERS | {"ETag": f'"{path.stem}"'}
            answer = FileResponse(path, media_type=content_type(path), headers=headers)
            if scope["method"] == "GET":
                # Not afterwards: by then the output may have been promised to the next caller.
                self._assets.fetched(self._name)
            await answer(whole_file(scope), receive, send)


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
