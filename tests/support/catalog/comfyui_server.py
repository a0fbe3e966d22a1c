"""A ComfyUI server on loopback that answers what a test wants."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import unquote, unquote_plus, urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path answers; a `Content-Length` among the headers replaces the true one."""

    body: object = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_held_back: bool = False
    """Whether it comes only when the server ends."""

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came; `path` is unquoted and holds the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class ComfyuiServer:
    """Serves a body for each path, with or without its query; everything else is 404.

    Change `answers` at any time; `requests` holds what was asked so far.
    """

    def __init__(self, answers: Mapping[str, object]) -> None:
        self.answers = dict(answers)
        self.requests: list[Request] = []
        self._ends = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def answer_request(self, request: Request, target: str) -> Answer:  # noqa: ARG002 - as it was sent
        return self.answer_to(request.path)

    def answer_to(self, path: str) -> Answer:
        found = self.answers.get(path, self.answers.get(path.partition("?")[0]))
        if found is None:
            return Answer(status=404)
        return found if isinstance(found, Answer) else Answer(found)

    def wait_if_held_back(self, answer: Answer) -> None:
        if answer.is_held_back:
            self._ends.wait(60)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer in one piece, else each takes 40 ms

            def log_message(self, *_arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                self.respond()

            def do_POST(self) -> None:
                self.respond()

            def respond(self) -> None:
                parts = urlsplit(self.path)
                query = f"?{unquote_plus(parts.query)}" if parts.query else ""
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Request(self.command, unquote(parts.path) + query, dict(self.headers), body)
                server.requests.append(asked)
                answer = server.answer_request(asked, self.path)
                server.wait_if_held_back(answer)
                self.send(answer)

            def send(self, answer: Answer) -> None:
                self.close_connection = "Content-Length" in answer.headers
                self.send_response(answer.status)
                length = {"Content-Length": str(len(answer.content))}
                for name, value in (length | dict(answer.headers)).items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(answer.content)
                    self.wfile.flush()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the client has read enough

        return Handler


class JsonServer(ComfyuiServer):
    """What it answers, a number being a status, and what it was asked.

    Attributes:
        silent: Set while it takes requests without answering them.
    """

    def __init__(self, answers: Mapping[str, object]) -> None:
        super().__init__(answers)
        self.silent = threading.Event()

    @property
    def asked(self) -> dict[str, Mapping[str, str]]:
        """Paths, and the headers of the newest request for each."""
        return {request.path: request.headers for request in self.requests}

    def answer_to(self, path: str) -> Answer:
        found = self.answers.get(path)
        answer = Answer(status=found) if isinstance(found, int) else super().answer_to(path)
        return Answer(is_held_back=True) if self.silent.is_set() else answer


@contextmanager
def json_server(answers: Mapping[str, object]) -> Iterator[JsonServer]:
    """Serve until the context ends; other paths are 404."""
    with JsonServer(answers) as server:
        yield server


COMFYUI: Mapping[str, object] = {
    "/system_stats": {
        "system": {"os": "linux", "comfyui_version": "0.3.60", "ram_free": 2**70},
        "devices": [{"name": "cuda:0", "type": "cuda", "vram_free": None}],
    },
    "/queue": {"queue_running": [[0, "a", {}]], "queue_pending": [[1, "b", {}], [2, "c", {}]]},
}
"""A ComfyUI server with three jobs."""
