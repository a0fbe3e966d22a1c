"""The picture server's application: `python -m storycanvas.services.picture_app STORE HOST PORT`.

It answers `GET` and `HEAD` for the paths that the image store gave and for the pages of galleries,
with a policy under which no script runs, and 404 for anything else in the same folder. Below
`docs/` it shows the pages that blocks link to. It lists nothing.
"""

import sys
from typing import Any

import uvicorn
from anyio import to_thread
from fastapi import FastAPI, HTTPException, Response
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.staticfiles import StaticFiles

from storycanvas.faces.gallery.page import POLICY
from storycanvas.faces.pictures.image_store import STORED_PAGE, ImageStore
from storycanvas.services.process import CODE

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # A path holds the hash of its bytes, so what lies there never changes.
    "Cache-Control": "private, max-age=31536000, immutable",
}
_OF_PAGES = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # a page is made anew after each run
    "Content-Security-Policy": POLICY,
}


class StoredPictures(StaticFiles):
    """The files of an image store that the store wrote, and the pages of galleries."""

    def __init__(self, store: ImageStore) -> None:
        if store.folder is None:
            raise ValueError(f"The image store {store.url} is no folder of this machine.")
        store.folder.mkdir(parents=True, exist_ok=True)
        super().__init__(directory=store.folder)
        self._store = store

    async def get_response(self, path: str, scope: Any) -> Response:  # noqa: ANN401 - as in Starlette
        """Answer a request for a path, with 404 unless the store gave it."""
        if not await to_thread.run_sync(self._store.shows, path):
            raise HTTPException(404, headers={"X-Content-Type-Options": "nosniff"})
        response = await super().get_response(path, scope)
        response.headers.update(_OF_PAGES if STORED_PAGE.fullmatch(path) else _HEADERS)
        return response


class Pages(StaticFiles):
    """The pages of `docs`, as plain text, which a browser shows instead of saving it."""

    def file_response(self, *args: Any, **named: Any) -> Response:
        """Answer with a file."""
        response = super().file_response(*args, **named)
        if response.headers.get("content-type", "").startswith("text/markdown"):
            response.headers["Content-Type"] = "text/plain; charset=utf-8"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def picture_app(store: ImageStore) -> FastAPI:
    """Make the application that serves a store."""
    app = FastAPI(openapi_url=None)
    # A page of another site could otherwise reach this server under a name of its own.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    if (CODE / "docs").is_dir():  # not in a package that was installed as a copy
        app.mount("/docs", Pages(directory=CODE / "docs"))
    app.mount("/", StoredPictures(store))
    return app


if __name__ == "__main__":
    root, host, port = sys.argv[1:]
    uvicorn.run(picture_app(ImageStore(root)), host=host, port=int(port), log_level="warning")
