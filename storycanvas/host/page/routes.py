"""The routes of the operator's page; no part of the contract with callers of operations."""

from collections.abc import Callable
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from storycanvas.faces.errors import TokenRefused
from storycanvas.host.api.requests import caller_of
from storycanvas.host.operations.runs import OperationRuns
from storycanvas.host.page.activity import Activity, activity
from storycanvas.host.page.passes import PASS_SECONDS, PagePasses, credentials

PASS_PATH = "/page/pass"  # noqa: S105 - no password
ACTIVITY_PATH = "/page/activity"
DOCUMENT_PATH = "/openapi.json"
_TYPES = {
    "html": "text/html",
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
}
_PAGES = {"/": "index.html", "/docs": "docs.html"}
_OWN = files("storycanvas.host.page") / "files"
_SWAGGER = files("fastapi_offline") / "static"
"""Swagger UI as it is released; the other pages of that package have scripts within them."""
FILES: dict[str, Traversable] = {
    **{path: _OWN / name for path, name in _PAGES.items()},
    **{f"/page/{name}": _OWN / name for name in
       ("page.js", "page.css", "calls.js", "docs.js", "icon.svg")},
    **{f"/page/{name}": _SWAGGER / name for name in ("swagger-ui-bundle.js", "swagger-ui.css")},
}  # fmt: skip
PAGE_PATHS = frozenset({*FILES, PASS_PATH, DOCUMENT_PATH})
"""What HTTP Basic opens: it can be read, and nothing can be done with it."""

NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""The script fetches pictures with a pass and shows them as `blob:`; Swagger UI's are `data:`."""
_HEADERS = NO_STORE | {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


def page_routes(runs: OperationRuns, passes: PagePasses) -> APIRouter:
    """Build the routes of the page, of its files, and of what its script asks for."""
    router = APIRouter(include_in_schema=False)
    for path, file in FILES.items():
        router.add_api_route(path, _sender(file), methods=["GET", "HEAD"])

    @router.post(PASS_PATH)
    def make_pass(request: Request) -> Response:
        """Change the token of a request into a pass for the page's script."""
        made = passes.issue(credentials(request.headers)[1])
        elsewhere = request.headers.get("sec-fetch-site", "same-origin") != "same-origin"
        if passes.needed and (made is None or elsewhere):
            raise TokenRefused("Only this host's own page gets a pass, and only for a token.")
        return JSONResponse({"pass": made, "seconds": PASS_SECONDS}, headers=NO_STORE)

    @router.get(ACTIVITY_PATH)
    async def read_activity(request: Request, response: Response) -> Activity:
        """Report what runs, waits and ended last."""
        response.headers.update(NO_STORE)
        return activity(runs, caller_of(request))

    return router


def _sender(file: Traversable) -> Callable[[], Response]:
    kind = _TYPES[file.name.rpartition(".")[2]]

    def send() -> Response:
        return Response(file.read_bytes(), headers=_HEADERS, media_type=kind)

    return send
