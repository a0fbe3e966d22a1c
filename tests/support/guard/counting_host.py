"""Stands in for a GPU: serves each call in a fixed time and counts calls that overlap.

It is the judge of the guard and independent of it: no queue, no keys, one counter.
"""

import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

ENGINE = ("counting", "1")
STATUS = {
    "status": "ok",
    "engine": ENGINE[0],
    "engine_version": ENGINE[1],
    "gpu_slots": 1,
    "busy": 0,
    "queued": 0,
    "operations": 0,
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

        def handle(self) -> None:
            with suppress(ConnectionError):  # the caller was killed
                super().handle()

        def do_GET(self) -> None:
            """Answer as any host does when it is asked for its status."""
            body = json.dumps(STATUS).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            host.serve(self.path.strip("/"))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    return Handler
