"""Stands in for a GPU: serves each call in a fixed time and counts calls that overlap.

It is the judge of the guard and independent of it: no queue, one counter. It is called in three
ways: any path is served before it is answered, and an operation of the host's contract is served
before or, with `Prefer: respond-async`, after it is answered and then polled. An operation is noted
under its key, whose `:` stands for a slash.
"""

import json
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

ENGINE = ("counting", "1")
STATUS: dict[str, object] = {
    "status": "ok",
    "engine": ENGINE[0],
    "engine_version": ENGINE[1],
    "gpu_slots": 1,
    "busy": 0,
    "queued": 0,
    "operations": 0,
}


PHASES = {"queue": 0.0, "decode": 0.0, "engine": 0.0, "encode": 0.0}
WAIT_SECONDS = 25.0


def operation(name: str, *, done: bool) -> dict[str, object]:
    """Build what an operation's address answers."""
    now = datetime.now(UTC).isoformat()
    status: dict[str, object] = {
        "id": name,
        "operation": "detect-faces",
        "state": "succeeded" if done else "running",
        "revision": 2 if done else 1,
        "phases": PHASES,
        "created_at": now,
    }
    if done:
        return status | {"ended_at": now, "result": answer()}
    return status | {"phase": "engine"}


def answer() -> dict[str, object]:
    """Build the answer of an operation."""
    return {
        "processing_time_seconds": 0.0,
        "engine": ENGINE[0],
        "engine_version": ENGINE[1],
        "completed_at": datetime.now(UTC).isoformat(),
    }


class Served(NamedTuple):
    """A call that was served.

    Attributes:
        caller: The path that was called, without slashes at its ends.
        started: When service began, by the machine's monotonic clock in seconds.
        ended: When service ended.
    """

    caller: str
    started: float
    ended: float


class CountingHost:
    """A server on loopback.

    Args:
        service_seconds: How long each call takes.
        slots: Calls that may be in service at one time.

    Attributes:
        url: Its address.
        served: Calls served, in the order in which they ended.
        overlaps: Calls that came while as many as there are slots were in service.
    """

    def __init__(self, service_seconds: float, slots: int = 1) -> None:
        self.served: list[Served] = []
        self.overlaps = 0
        self._service_seconds = service_seconds
        self._slots = slots
        self._busy = 0
        self._submitted: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def serve(self, caller: str) -> None:
        """Serve one call in its fixed time, whatever else is in service."""
        with self._lock:
            self._busy += 1
            self.overlaps += self._busy > self._slots
        started = time.monotonic()
        time.sleep(self._service_seconds)  # the work itself
        with self._lock:
            self._busy -= 1
            self.served.append(Served(caller, started, time.monotonic()))

    def submit(self, caller: str) -> str:
        """Serve a call in a thread of its own; return the name by which its end is found."""
        name, ended = caller.replace("/", ":"), threading.Event()
        with self._lock:
            self._submitted[name] = ended

        def serve() -> None:
            self.serve(caller)
            ended.set()

        threading.Thread(target=serve).start()
        return name

    def wait(self, name: str) -> bool:
        """Wait for the end of a submitted call; False if it takes too long."""
        return self._submitted[name].wait(WAIT_SECONDS)

    def callers(self) -> list[str]:
        """List the processes that were served, in the order in which their calls ended."""
        with self._lock:
            return [call.caller.split("/")[0] for call in self.served]

    def close(self) -> None:
        """Take no more calls."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(host: CountingHost) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open, as a real host's do
        disable_nagle_algorithm = True  # else a body waits 40 ms behind its head, as no host's does

        def handle(self) -> None:
            with suppress(ConnectionError):  # the caller was killed
                super().handle()

        def do_GET(self) -> None:
            """Answer for an operation's end, or for the status as any host does."""
            name = self.path.partition("?")[0].rpartition("/")[2]
            if "/operations/" in self.path:
                self._answer(200, operation(name, done=host.wait(name)))
            else:
                self._answer(200, STATUS)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            key = self.headers.get("Idempotency-Key")
            if key is None:
                host.serve(self.path.strip("/"))
                self.send_response(204)
                self.end_headers()
            elif self.headers.get("Prefer") == "respond-async":
                self._answer(202, operation(host.submit(key.replace(":", "/")), done=False))
            else:
                host.serve(key.replace(":", "/"))
                self._answer(200, answer())

        def _answer(self, status: int, content: dict[str, object]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    return Handler
