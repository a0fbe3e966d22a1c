"""`assets`: pictures on their way to the host and back."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse

from faces.contract import ASSET_PREFIX, AssetAnswer
from faces.errors import BadField
from host.assets import AssetStore, content_type
from host.errors import documented

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


def asset_routes(assets: AssetStore) -> APIRouter:
    """Build the routes of a host's pictures."""
    router = APIRouter(prefix="/assets", tags=["assets"])

    @router.post("", responses=documented(400, 401, 413, 415), openapi_extra=_UPLOAD_BODY)
    async def upload(request: Request) -> AssetAnswer:
        """Keep a picture, sent as form field `file` or as the bare body."""
        with assets.incoming() as incoming:
            async for chunk in _chunks(request):
                await asyncio.to_thread(incoming.write, chunk)
            name = await asyncio.to_thread(incoming.keep)
        return AssetAnswer(path=f"{ASSET_PREFIX}{name}")

    @router.head("/{name}", response_class=FileResponse, responses=documented(400, 401, 404, 422))
    async def has(name: str) -> FileResponse:
        """Ask whether the host has a picture."""
        return _file(assets, name)

    @router.get("/{name}", response_class=FileResponse, responses=documented(400, 401, 404, 422))
    async def download(name: str) -> FileResponse:
        """Fetch a picture by its name, with or without `asset:`."""
        return _file(assets, name)

    return router


def _file(assets: AssetStore, name: str) -> FileResponse:
    path = assets.find(name)
    headers = _HEADERS | {"ETag": f'"{path.stem}"'}
    return FileResponse(path, media_type=content_type(path), headers=headers)


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
