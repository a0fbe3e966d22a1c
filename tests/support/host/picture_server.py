"""A web server of pictures on loopback, some of them not as they should be."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from storycanvas.faces.pictures.reading import MAX_BYTES
from tests.support.host.pictures import encoded

GOOD = encoded("JPEG")
PAGES: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/good.jpg": (200, {}, GOOD),
    "/moved": (302, {"Location": "/good.jpg"}, b""),
    "/gone": (404, {}, b""),
    "/private": (403, {}, b""),
    "/down": (503, {}, b""),
    "/huge": (200, {}, bytes(MAX_BYTES + 1)),
    "/text": (200, {"Content-Type": "image/png"}, b"no picture"),
    "/packed": (200, {"Content-Encoding": "gzip"}, gzip.compress(GOOD)),
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.paths.append(self.path)  # type: ignore[attr-defined]
        if self.path == "/hangs":
            self.server.closing.wait(60)  # type: ignore[attr-defined]
            return
        status, headers, body = PAGES[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class PictureServer(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.paths: list[str] = []
        self.closing = threading.Event()
        self.address = f"127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """A reader that hangs up is expected."""
