"""The paths of the host contract for operations: one for each of the six, and those under way."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from storycanvas.faces.contract import (
    API,
    IDEMPOTENCY_HEADER,
    MAX_WAIT_SECONDS,
    PREFER_HEADER,
    RESPOND_ASYNC,
    OperationAnswer,
    OperationList,
    OperationState,
    OperationStatus,
)
from storycanvas.faces.operations import OPERATIONS, FaceOperation
from storycanvas.host.api.errors import documented
from storycanvas.host.api.requests import caller_of, fingerprint, preferences, request_model
from storycanvas.host.operations.records import OperationRecord
from storycanvas.host.operations.run import Request
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
KnownKey = Annotated[
    str,
    Header(
        alias=IDEMPOTENCY_HEADER,
        pattern=r"^[A-Za-z0-9._:-]{1,200}$",
        description="The key with which the operation was submitted.",
    ),
]
Prefer = Annotated[
    str | None,
    Header(
        alias=PREFER_HEADER,
        description="`respond-async` (RFC 7240) answers 202 as soon as the operation is certain to "
        "be done; other preferences change nothing.",
    ),
]
Wait = Annotated[
    float,
    Query(
        ge=0,
        le=MAX_WAIT_SECONDS,
        allow_inf_nan=False,
        description="Longest wait for a change of state or phase, in seconds; 0 answers at once.",
    ),
]
After = Annotated[
    int | None,
    Query(
        ge=1,
        le=2**31,
        description="The `revision` that is known, so that no change before the call is missed.",
    ),
]
State = Annotated[OperationState | None, Query(description="Only operations in this state.")]
Endpoint = Callable[..., Awaitable[Response]]
JSON = "application/json"
ACCEPTED = 202


def operation_routes(runs: OperationRuns, runner: OperationRunner) -> APIRouter:
    """Build one `POST` route for each of the six operations."""
    router = APIRouter(tags=["operations"])
    for operation in OPERATIONS:
        router.add_api_route(
            f"/{operation.path}",
            _endpoint(operation, runs, runner),
            methods=["POST"],
            response_model=OperationAnswer,
            responses={
                ACCEPTED: {"model": OperationStatus},
                **documented(400, 401, 404, 409, 413, 415, 422, 429, 500, 503, 504),
            },
            name=operation.path,
            description=operation.__doc__ or "",
        )
    return router


def _endpoint(
    operation: type[FaceOperation], runs: OperationRuns, runner: OperationRunner
) -> Endpoint:
    async def run_operation(
        http: HttpRequest, body: FaceOperation, key: IdempotencyKey = None, prefer: Prefer = None
    ) -> Response:
        del prefer  # for the document; a proxy may join headers of one name, or leave them apart
        request = Request(
            operation=body.path,
            fingerprint=fingerprint(body),
            apply=partial(runner.run, body),
            key=key,
            owner=caller_of(http),
            body=body.model_dump(mode="json", by_alias=True),
        )
        if RESPOND_ASYNC in preferences(http.headers.getlist(PREFER_HEADER)):
            return _accepted(await runs.submit(request))
        return await _answered(http, runs, request)

    # FastAPI reads the request model from here; each path has its own.
    run_operation.__annotations__["body"] = request_model(operation)
    return run_operation


def _accepted(status: OperationStatus) -> Response:
    headers = {
        "Location": f"{API}/operations/{status.id}",
        "Preference-Applied": RESPOND_ASYNC,
        "Vary": PREFER_HEADER,
    }
    return Response(_body(status), ACCEPTED, headers, JSON)


async def _answered(http: HttpRequest, runs: OperationRuns, request: Request) -> Response:
    """Wait for the answer, as long as the client does."""
    asking = asyncio.ensure_future(runs.answer(request))
    watching = asyncio.ensure_future(_gone(http))
    try:
        await asyncio.wait({asking, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done() and request.key is not None:
            await asyncio.wait({asking})
    finally:
        watching.cancel()
        if not asking.done():
            asking.cancel()
    if not asking.done():
        return Response(status_code=499)  # nginx's status for a client that has gone; not sent
    return Response(asking.result(), media_type=JSON)


async def _gone(http: HttpRequest) -> None:
    """Wait until the client has closed its connection."""
    while (await http.receive())["type"] != "http.disconnect":
        continue


def restored(runner: OperationRunner, record: OperationRecord) -> Request:
    """Build the request of an operation that was taken before the host was started again.

    Raises:
        ValueError: This version has no such operation, or it takes other fields.
    """
    kinds = {operation.path: operation for operation in OPERATIONS}
    if record.operation not in kinds:
        raise ValueError(f"there is no operation {record.operation}")
    body = request_model(kinds[record.operation]).model_validate(record.request)
    return Request(
        operation=record.operation,
        fingerprint=record.fingerprint,
        apply=partial(runner.run, body),
        key=record.key,
        owner=record.owner,
        body=record.request,
    )


def submitted_routes(runs: OperationRuns) -> APIRouter:
    """Build the routes of operations under way and of those that have ended."""
    router = APIRouter(prefix="/operations", tags=["operations"])
    errors: dict[int | str, dict[str, Any]] = documented(400, 401, 404, 422)

    @router.get("", response_model=OperationList, responses=documented(400, 401, 422))
    async def list_operations(http: HttpRequest, state: State = None) -> Response:
        """List the caller's operations: the open ones by their turn, then the newest ends."""
        return Response(
            _body(OperationList(operations=tuple(await runs.listed(caller_of(http), state)))),
            media_type=JSON,
        )

    @router.get("/by-key", response_model=OperationStatus, responses=errors)
    async def find_operation(http: HttpRequest, key: KnownKey) -> Response:
        """Report how far the operation of an idempotency key has come; nothing is begun."""
        return Response(_body(await runs.of_key(key, caller_of(http))), media_type=JSON)

    @router.get("/{operation_id}", response_model=OperationStatus, responses=errors)
    async def read_operation(
        http: HttpRequest, operation_id: str, wait: Wait = 0.0, after: After = None
    ) -> Response:
        """Report how far an operation has come; with `wait`, once that changes."""
        asking = asyncio.ensure_future(runs.status(operation_id, caller_of(http), wait, after))
        watching = asyncio.ensure_future(_gone(http))
        await asyncio.wait({asking, watching}, return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        if not asking.done():
            asking.cancel()
            return Response(status_code=499)
        return Response(_body(asking.result()), media_type=JSON)

    @router.delete("/{operation_id}", response_model=OperationStatus, responses=errors)
    async def cancel_operation(http: HttpRequest, operation_id: str) -> Response:
        """Cancel an operation, waiting or running; one that has ended stays as it is."""
        return Response(_body(await runs.cancel(operation_id, caller_of(http))), media_type=JSON)

    return router


def _body(answer: OperationStatus | OperationList) -> str:
    return answer.model_dump_json(exclude_none=True)
