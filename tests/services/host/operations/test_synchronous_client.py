"""An older client, which waits for each answer, works with this host as it did with its own."""

import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image
from pydantic import ValidationError

from storycanvas.faces.operations import OPERATIONS
from tests.support.host.started_host import StartedHost
from tests.support.host.synchronous_client import (
    SENT,
    Answered,
    Refused,
    Sent,
    Status,
    SynchronousClient,
    read,
)
from tests.support.paths import PORTRAIT

DETECTS = "detect-faces"
ANSWER = {
    "success": True,
    "output_path": f"asset:{'0' * 64}.png",
    "processing_time_seconds": 0.5,
    "engine": "preview",
    "engine_version": "1",
    "completed_at": "2026-11-21T12:00:00Z",
}
STATUS = {
    "status": "ok", "engine": "preview", "engine_version": "1",
    "gpu_slots": 1, "busy": 0, "queued": 0, "operations": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def portrait() -> bytes:
    buffer = io.BytesIO()
    Image.open(PORTRAIT).convert("RGB").save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@pytest.mark.parametrize("sent", SENT, ids=lambda sent: sent.path)
def test_an_older_client_has_each_operation_done(
    host_process: StartedHost, portrait: bytes, sent: Sent
) -> None:
    key = f"older-{SENT.index(sent)}"
    with SynchronousClient(host_process.url) as client:
        picture = client.upload(portrait)
        assert client.upload(portrait) == picture
        first = client.send(sent, picture, key)
        answer = read(Answered, first)
        again = client.send(sent, picture, key)

        assert again.content == first.content
        assert "Preference-Applied" not in first.headers
        if sent.path == DETECTS:
            assert answer.faces
            assert answer.total_faces == answer.faces_detected == len(answer.faces)
            assert answer.output_path is None
        else:
            assert answer.output_path is not None
            assert Image.open(io.BytesIO(client.download(answer.output_path))).format == "PNG"


def test_an_older_client_reads_the_status(host_process: StartedHost) -> None:
    with SynchronousClient(host_process.url) as client:
        status = client.status()

    assert status.status == "ok"
    assert {sent.path for sent in SENT} <= set(status.able or ())


def test_an_older_client_reads_why_it_is_refused(
    host_process: StartedHost, portrait: bytes
) -> None:
    lost, key = f"asset:{'0' * 64}.png", "older-refused"
    with SynchronousClient(host_process.url) as client:
        picture = client.upload(portrait)
        missing = client.send(SENT[-1], lost, key)
        read(Answered, client.send(SENT[-1], picture, key))
        reused = client.send(SENT[-1], lost, key)

    assert [refusal_of(answer) for answer in (missing, reused)] == [
        (404, "picture_not_found", False),
        (422, "idempotency_key_reused", False),
    ]


def refusal_of(answer: httpx.Response) -> tuple[int, str, bool]:
    error = Refused.model_validate_json(answer.content).error
    return answer.status_code, error.code, error.retryable


def test_the_stored_requests_are_of_all_operations() -> None:
    assert [sent.path for sent in SENT] == 2 * [operation.path for operation in OPERATIONS]


@pytest.mark.parametrize(
    "changed",
    [
        {"success": "done"}, {"used": {"face_detector_angles": [0, 90]}}, {"models": "gfpgan_1.4"},
        {"engine": None}, {"processing_time_seconds": None}, {"completed_at": "soon"},
        {"faces": [{"x": 0, "y": 0, "width": 0, "height": 1}]}, {"phases": {"queue": 1}},
        {"faces": [{"x": -1, "y": 0, "width": 1, "height": 1}]}, {"total_faces": 1.5},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_an_answer_that_the_older_client_refuses_is_noticed(changed: dict[str, Any]) -> None:
    assert read(Answered, httpx.Response(200, json=ANSWER | {"of_later": [1]})).engine == "preview"

    with pytest.raises(ValidationError):
        read(Answered, httpx.Response(200, json=ANSWER | changed))


@pytest.mark.parametrize(
    "changed", [{"status": "loading"}, {"gpu_slots": 0}, {"engine_version": 3}, {"able": "all"}],
    ids=json.dumps,
)  # fmt: skip
def test_a_status_that_the_older_client_refuses_is_noticed(changed: dict[str, Any]) -> None:
    assert read(Status, httpx.Response(200, json=STATUS | {"of_later": 1})).gpu_slots == 1

    with pytest.raises(ValidationError):
        read(Status, httpx.Response(200, json=STATUS | changed))
