"""One `POST` path for each of the six operations."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response

from storycanvas.faces.contract import IDEMPOTENCY_HEADER, OperationAnswer
from storycanvas.faces.operations import OPERATIONS, FaceOperation
from storycanvas.host.api.errors import documented
from storycanvas.host.api.requests import fingerprint, request_model
from storycanvas.host.operations.runner import OperationRunner
from storycanvas.host.operations.runs import OperationRuns

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
    """Build the routes of all operations."""
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
