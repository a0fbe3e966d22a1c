"""Operations that are submitted and polled, over plain HTTP."""

import time
from typing import Any, Protocol

import httpx

from storycanvas.faces.contract import IDEMPOTENCY_HEADER, OperationStatus
from tests.support.host.started_host import WAIT_SECONDS

ASYNC = {"Prefer": "respond-async"}


class Asked(Protocol):
    """A host of any kind."""

    @property
    def client(self) -> httpx.Client: ...


def submit(host: Asked, picture: str, age: int = 30, key: str | None = None) -> httpx.Response:
    headers = ASYNC | ({IDEMPOTENCY_HEADER: key} if key else {})
    body = {"source_path": picture, "face_editor_age": age}
    return host.client.post("adjust-face", json=body, headers=headers)


def submitted(host: Asked, picture: str, age: int = 30, key: str | None = None) -> OperationStatus:
    answer = submit(host, picture, age, key)
    assert answer.status_code == 202, answer.text
    return OperationStatus.model_validate_json(answer.content)


def read(host: Asked, operation_id: str, **query: float) -> OperationStatus:
    answer = host.client.get(f"operations/{operation_id}", params=query)
    assert answer.status_code == 200, answer.text
    return OperationStatus.model_validate_json(answer.content)


def until(host: Asked, operation_id: str, state: str) -> OperationStatus:
    """Poll until an operation is in a state; any other end fails."""
    deadline = time.monotonic() + WAIT_SECONDS
    status = read(host, operation_id)
    while status.state != state:
        assert not status.has_ended, status
        assert time.monotonic() < deadline, status
        status = read(host, operation_id, wait=5, after=status.revision)
    return status


def state_of(host: Asked) -> Any:  # noqa: ANN401 - JSON
    return host.client.get("status").json()["status"]
