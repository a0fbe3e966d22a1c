"""The client submits operations, joins them after a lost connection, and cancels them."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.client.timeouts import Timeouts
from storycanvas.faces.client.watching import OperationWatch
from storycanvas.faces.contract import API, OperationStatus
from storycanvas.faces.errors import HostUnreachable, NoFace, OperationCancelled
from storycanvas.faces.operations import AgeAdjustOperation, EnhanceOperation
from storycanvas.net.retry import RetryPolicy
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.pictures import encoded
from tests.support.host.scripted_host import (
    AT_ONCE,
    DONE,
    INPUT,
    LOOK,
    Scripted,
    ScriptedHost,
    refused,
)
from tests.support.host.started_host import RECORDING, StartHost, calls, wait_until
from tests.support.host.threaded_host import HeldUp, OpenHost

AGE = AgeAdjustOperation(target_age=30)
PATIENT = RetryPolicy(tries=1000, first_wait=0.05, longest_wait=0.2, patience=60.0)
TAKEN = {
    "id": "0" * 32, "operation": "detect-faces", "state": "waiting", "phase": "queued",
    "revision": 1, "phases": {"queue": 0, "decode": 0, "engine": 0, "encode": 0},
    "created_at": "2026-11-21T12:00:00Z",
}  # fmt: skip


def told(status: int = 200, **fields: object) -> Scripted:
    return Scripted(status, json.dumps(TAKEN | fields).encode())


SUCCEEDED = told(state="succeeded", phase=None, result=json.loads(DONE.body))
LOST = refused(404, "operation_not_found", retryable=False)


def test_the_engines_end_is_told_before_the_result_is_there(
    open_host: OpenHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, ended = HeldUp.encoding(monkeypatch), threading.Event()
    host = open_host()
    watch = OperationWatch(ended.set)
    with FaceHostClient(host.url) as client, ThreadPoolExecutor(1) as callers:
        asset = client.upload(read(host.data_dir))
        waiting = callers.submit(client.operate, AGE, [asset], "key", watch=watch)
        assert ended.wait(30)
        assert not waiting.done()
        watch.cancel()  # the engine has ended, so the result is taken
        held.go_on.set()
        assert waiting.result(30).output_path
    assert len(host.engine.calls) == 1


def test_a_cancellation_ends_the_call_and_what_waits_at_the_host(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    watch = OperationWatch()
    with FaceHostClient(host.url) as client, ThreadPoolExecutor(2) as callers:
        asset = client.upload(read(host.data_dir))
        running = callers.submit(client.operate, AGE, [asset], "first")
        host.engine.began.get(timeout=30)
        later = AgeAdjustOperation(target_age=40)
        waiting = callers.submit(client.operate, later, [asset], "second", watch=watch)
        wait_until(lambda: host.status()["queued"] == 1)
        watch.cancel()
        with pytest.raises(OperationCancelled):
            waiting.result(10)
        assert host.status()["queued"] == 0
        host.engine.let_through()
        assert running.result(30).output_path
        host.engine.let_through()
        assert client.operate(later, [asset], "second").output_path
    assert len(host.engine.calls) == 2


def test_what_is_cancelled_before_it_is_sent_is_not_sent() -> None:
    watch = OperationWatch()
    watch.cancel()
    with ScriptedHost(DONE) as host, FaceHostClient(host.url) as client:
        with pytest.raises(OperationCancelled):
            client.operate(LOOK, INPUT, "key", watch=watch)
        assert host.arrived == []


def test_an_operation_is_joined_over_a_kill_of_its_host(
    start_host: StartHost, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "gate")
    program = (*RECORDING, str(tmp_path))
    host = start_host(program=program)
    port = host.url.rpartition(":")[2]
    with FaceHostClient(host.url, retries=PATIENT) as client, ThreadPoolExecutor(1) as callers:
        asset = host.upload(encoded())
        waiting = callers.submit(client.operate, EnhanceOperation(), [asset], "key")
        wait_until(lambda: calls(tmp_path) == 1)
        host.kill()
        (tmp_path / "gate").unlink()
        again = start_host(program=program, arguments=("--port", port))
        answer = waiting.result(60)
        assert client.download(answer.output_path or "").width
    listed = again.client.get("operations").json()["operations"]
    assert [status["state"] for status in listed] == ["succeeded"]
    assert calls(tmp_path) == 2  # that which the kill ended, and itself once more


@pytest.mark.parametrize(
    "ended",
    [LOST, told(state="cancelled", phase=None, error={"code": "cancelled", "message": "So.",
                                                     "retryable": False})],
    ids=["lost", "cancelled by another caller"],
)  # fmt: skip
def test_what_the_host_no_longer_does_is_submitted_again(ended: Scripted) -> None:
    with ScriptedHost(told(202), ended, told(202), SUCCEEDED) as host:
        with FaceHostClient(host.url, retries=AT_ONCE) as client:
            client.operate(LOOK, INPUT, "key")
        posts = [request for request in host.arrived if request.method == "POST"]
    assert [request.headers["Idempotency-Key"] for request in posts] == ["key", "key"]


def test_a_poll_that_is_lost_is_repeated_and_not_the_operation() -> None:
    with ScriptedHost(told(202), Scripted(drops=True), told(revision=2), SUCCEEDED) as host:
        with FaceHostClient(host.url, retries=AT_ONCE) as client:
            client.operate(LOOK, INPUT, "key")
        assert host.methods() == ["POST", "GET", "GET", "GET"]
        assert "after=1" in host.arrived[1].path
        assert "after=2" in host.arrived[3].path


def test_a_failure_is_what_the_host_says(open_host: OpenHost) -> None:
    host = open_host(GatedEngine(fails_at={30: NoFace("The picture shows no face.")}))
    with FaceHostClient(host.url) as client, pytest.raises(NoFace, match="shows no face"):
        client.operate(AGE, [client.upload(read(host.data_dir))], "key")


def test_an_operation_that_does_not_end_in_time_is_left_to_its_key(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    hasty = Timeouts(answers={AGE.path: 1.0, "operations": 5.0})
    with FaceHostClient(host.url, timeouts=hasty) as client:
        asset = client.upload(read(host.data_dir))
        with pytest.raises(HostUnreachable, match="same idempotency key"):
            client.operate(AGE, [asset], "key")
        host.engine.let_through()
        wait_until(lambda: host.status()["operations"] == 1)
        assert client.operate(AGE, [asset], "key").output_path
    assert len(host.engine.calls) == 1


def test_an_older_host_answers_at_the_end_and_is_understood() -> None:
    ended = threading.Event()
    watch = OperationWatch(ended.set)
    with ScriptedHost(DONE) as host, FaceHostClient(host.url) as client:
        client.operate(LOOK, INPUT, "key", watch=watch)
        assert host.methods() == ["POST"]
        assert host.arrived[0].headers["Prefer"] == "respond-async"
    assert ended.is_set()


OLDER_REQUEST = {
    "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "keep-alive",
    "Content-Type": "application/json", "Idempotency-Key": "older-1",
    "User-Agent": "python-httpx/0.28.1",
}  # fmt: skip
OLDER_FIELDS = {
    "success", "output_path", "faces_detected", "estimated_age", "processing_time_seconds",
    "phases", "engine", "engine_version", "models", "used", "stepped_down", "engine_log",
    "completed_at",
}  # fmt: skip
"""What the client of version 0.1.0 sends, and what it reads."""


def test_an_older_client_is_answered_as_before(open_host: OpenHost) -> None:
    host = open_host()
    picture = host.upload(encoded())
    body = json.dumps({"face_editor_age": 30, "face_editor_blend": 1.0, "source_path": picture})
    with httpx.Client(base_url=f"{host.url}{API}/") as older:
        answers = [older.post("adjust-face", content=body, headers=OLDER_REQUEST) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert answers[0].json().keys() >= OLDER_FIELDS
    assert set(answers[0].json()["phases"]) >= {"queue", "decode", "engine", "encode"}


def test_the_status_of_an_operation_is_read_whatever_a_newer_host_adds() -> None:
    status = OperationStatus.model_validate(TAKEN | {"later": 1})
    assert not status.has_ended


def read(folder: Path) -> Path:
    """Write a picture for an upload."""
    path = folder.parent / "picture.png"
    path.write_bytes(encoded())
    return path
