"""What the client makes of a host that refuses or is no host at all, and how long it waits."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.client.timeouts import ANSWER_SECONDS, OPERATION_SECONDS, Timeouts
from storycanvas.faces.errors import (
    ContractBroken,
    FaceError,
    HostFull,
    HostNotReady,
    HostUnreachable,
    NoFace,
    TokenRefused,
    UnknownHostError,
)
from storycanvas.faces.operations import OPERATIONS, EnhanceOperation
from storycanvas.net.retry import RetryPolicy

ONCE = RetryPolicy(tries=1)
PROMPT = 0.01
"""Seconds after which a server notices that it is to end."""


def body(code: str, *, retryable: bool = False) -> str:
    return json.dumps({"error": {"code": code, "message": "So.", "retryable": retryable}})


@contextmanager
def server(status: int, text: str) -> Iterator[str]:
    """A server that answers everything in the same way."""

    class Same(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Same)
    thread = threading.Thread(target=listening.serve_forever, args=(PROMPT,))
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    thread.join()
    listening.server_close()


ANSWERS: list[tuple[int, str, type[FaceError]]] = [
    (401, "", TokenRefused),
    (422, body("no_face"), NoFace),
    (429, body("queue_full", retryable=True), HostFull),
    (500, body("of_a_newer_host"), UnknownHostError),
    (500, body("of_a_newer_host", retryable=True), HostNotReady),
    (500, body("engine_failed", retryable=True), HostNotReady),
    (429, body("queue_full"), UnknownHostError),
    (307, "", ContractBroken),
    (502, "<html>Bad gateway</html>", HostUnreachable),
    (503, "", HostUnreachable),
    (404, "<html>Not found</html>", ContractBroken),
    (200, "<html>Welcome</html>", ContractBroken),
    (200, "{}", ContractBroken),
    (
        200,
        json.dumps(
            {
                "processing_time_seconds": 1,
                "engine": "e",
                "engine_version": "1",
                "completed_at": "2026-11-21T12:00:00Z",
            }
        ),
        ContractBroken,
    ),
]


@pytest.mark.parametrize(("status", "text", "error"), ANSWERS)
def test_an_answer_that_is_no_success_is_one_error(
    status: int, text: str, error: type[FaceError]
) -> None:
    with (
        server(status, text) as url,
        FaceHostClient(url, retries=ONCE) as host,
        pytest.raises(error) as refusal,
    ):
        host.operate(EnhanceOperation(), ["asset:x.png"], "key")

    assert type(refusal.value) is error


def test_a_host_that_is_off_is_unreachable_and_worth_another_try() -> None:
    with (
        FaceHostClient("http://127.0.0.1:1", retries=ONCE) as host,
        pytest.raises(HostUnreachable) as refusal,
    ):
        host.status()

    assert refusal.value.retryable


@pytest.mark.parametrize("path", [operation.path for operation in OPERATIONS])
def test_every_operation_has_a_longest_wait(path: str) -> None:
    looks = path in {"detect-faces", "mask-face"}

    assert (ANSWER_SECONDS[path] < OPERATION_SECONDS) == looks


def test_an_unknown_path_waits_as_long_as_an_operation() -> None:
    assert Timeouts(answers={}).answer("of-a-newer-host") == OPERATION_SECONDS
