"""Stands in for a GPU: serves each call in a fixed time and counts calls that overlap.

It is the judge of the guard, so it knows nothing of it: no queue, no keys, one counter.
"""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class CountingHost:
    """A server on loopback.

    Attributes:
        served: Calls begun, as (caller, begun, ended) by the monotonic clock.
        overlaps: Calls that came while another was in service.
    """

    def __init__(self, service_seconds: float) -> None:
        self.served: list[tuple[str, float, float]] = []
        self.overlaps = 0
        self._service_seconds = service_seconds
        self._busy = 0
        self._lock = threading.Lock()
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                host.serve(self.path.strip("/"))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def serve(self, caller: str) -> None:
        with self._lock:
            self._busy += 1
            self.overlaps += self._busy > 1
        begun = time.monotonic()
        time.sleep(self._service_seconds)  # the work itself
        with self._lock:
            self._busy -= 1
            self.served.append((caller, begun, time.monotonic()))

    def callers(self) -> list[str]:
        with self._lock:
            return [caller for caller, *_ in self.served]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
