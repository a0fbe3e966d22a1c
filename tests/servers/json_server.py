"""A real HTTP server on loopback that answers each path with what it was given."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class JsonServer:
    """What it answers, and what it was asked.

    Attributes:
        url: Its address.
        answers: By path: a value to be sent as JSON, bytes to be sent as they are, or a status.
        asked: Paths, and the headers of the newest request for each.
        silent: Set while it takes requests without answering them.
        released: Set when silent requests may end.
    """

    url: str
    answers: dict[str, object]
    asked: dict[str, Mapping[str, str]] = field(default_factory=dict)
    silent: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def json_server(answers: Mapping[str, object]) -> Iterator[JsonServer]:
    """Serve until the context ends; other paths are 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked[self.path] = dict(self.headers)
            if served.silent.is_set():
                served.released.wait()
                return
            answer = served.answers.get(self.path, 404)
            status = answer if isinstance(answer, int) else 200
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = JsonServer(f"http://127.0.0.1:{server.server_port}", dict(answers))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        served.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


COMFYUI: Mapping[str, object] = {
    "/system_stats": {
        "system": {"os": "linux", "comfyui_version": "0.3.60", "ram_free": 2**70},
        "devices": [{"name": "cuda:0", "type": "cuda", "vram_free": None}],
    },
    "/queue": {"queue_running": [[0, "a", {}]], "queue_pending": [[1, "b", {}], [2, "c", {}]]},
}
"""A ComfyUI server with three jobs."""
