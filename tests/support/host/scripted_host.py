"""A server that gives scripted answers and records the requests, and answers for its scripts."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from storycanvas.faces.operations import DetectOperation
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.net.retry import RetryPolicy
from tests.support.host.pictures import encoded

TRICKLE = b"."
PROMPT = 0.01


@dataclass(frozen=True)
class Scripted:
    """An answer; the newest one of a script is repeated.

    Attributes:
        sends: How many bytes of the body go before the connection ends; None for all of them.
        hangs: Nothing is answered at all until the test ends.
        drops: The connection ends without an answer.
        trickles: After the body single bytes follow, without end.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    sends: int | None = None
    hangs: bool = False
    drops: bool = False
    trickles: bool = False


@dataclass(frozen=True)
class Arrived:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "ScriptedHost"

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scripted = self.server.next_for(Arrived(self.command, self.path, dict(self.headers), body))
        if scripted.hangs:
            self.server.closing.wait(60)
        if scripted.hangs or scripted.drops:
            self.close_connection = True
            return
        self._head(scripted)
        if self.command != "HEAD":
            self.wfile.write(scripted.body[: scripted.sends])
        self.close_connection = scripted.sends is not None or scripted.trickles
        while scripted.trickles and not self.server.closing.wait(PROMPT):
            self.wfile.write(TRICKLE)

    def _head(self, scripted: Scripted) -> None:
        self.send_response_only(scripted.status)
        length = {} if scripted.trickles else {"Content-Length": str(len(scripted.body))}
        for name, value in {"Date": formatdate(usegmt=True), **length, **scripted.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_DELETE(self) -> None:
        self.answer()

    def do_HEAD(self) -> None:
        self.answer()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


class ScriptedHost(ThreadingHTTPServer):
    """Use as a context; every answer is for one request, whatever it asks for."""

    def __init__(self, *script: Scripted) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.connections = 0
        self.arrived: list[Arrived] = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._script = deque(script)
        self._thread = threading.Thread(target=self.serve_forever, args=(PROMPT,))

    def next_for(self, request: Arrived) -> Scripted:
        with self.lock:
            self.arrived.append(request)
            return self._script.popleft() if len(self._script) > 1 else self._script[0]

    def methods(self) -> list[str]:
        return [request.method for request in self.arrived]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is expected."""


AT_ONCE = RetryPolicy(tries=3, first_wait=0.0)
LOOK = DetectOperation()
INPUT = [f"asset:{'0' * 64}.png"]
PICTURE = read_picture(encoded(), "a picture")
NAME = f"asset:{PICTURE.asset_name}"
STORED = Scripted(body=json.dumps({"path": NAME}).encode())
LACKING = Scripted(404)
DONE = Scripted(
    body=json.dumps(
        {
            "processing_time_seconds": 1,
            "engine": "e",
            "engine_version": "1",
            "completed_at": "2026-11-21T12:00:00Z",
        }
    ).encode()
)


def refused(status: int, code: str, *, retryable: bool, **headers: str) -> Scripted:
    body = {"error": {"code": code, "message": "So.", "retryable": retryable}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Scripted(status, json.dumps(body).encode(), named)
