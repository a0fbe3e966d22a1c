"""A picture server on loopback that answers in every way a server should not."""

import gzip
import itertools
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

CHUNK = bytes(64 * 1024)
DRIPS = 600
"""At a fifth of a second each, two minutes: longer than any download may take."""


def _page(status: str, body: bytes = b"", *headers: str) -> Callable[[], Iterator[bytes]]:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return lambda: iter(["\r\n".join(lines).encode() + body])


def _open_end(*parts: bytes, pause: float = 0) -> Callable[[], Iterator[bytes]]:
    def chunks() -> Iterator[bytes]:
        *first, again = parts
        yield from first
        for _ in range(DRIPS):
            yield again
            time.sleep(pause)

    return chunks


_OK = b"HTTP/1.1 200 OK\r\n\r\n"
_TOO_LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + CHUNK
_BROKEN_CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFFFFF\r\nx"
PAGES: dict[str, Callable[[], Iterator[bytes]]] = {
    "/html": _page("200 OK", b"<html>not a picture</html>", "Content-Type: image/png"),
    "/moved-to-file": _page("302 Found", b"", "Location: file:///etc/passwd"),
    "/moved-nowhere": _page("302 Found", b"", "Location: http://[::"),
    "/odd-status": _page("999 Odd"),
    "/partial": _page("206 Partial Content", b"half"),
    "/bomb": _page("200 OK", gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip"),
    "/endless": _open_end(_OK, CHUNK),
    "/drip": _open_end(_OK, b".", pause=0.2),
    "/headers": _open_end(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 1000 + b"\r\n"),
    "/continue": _open_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "/too-short": lambda: iter([_TOO_LONG]),
    "/chunked": lambda: iter([_BROKEN_CHUNK]),
    "/garbage": lambda: iter([b"\xff\x00 no HTTP \r\n\r\n"]),
    "/nothing": lambda: iter([]),
}


class _Handler(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, StrangeServer)
        next(server.asked)
        path = self.rfile.readline(10_000).decode("latin-1").split(" ")[1:2]
        while self.rfile.readline(10_000).strip():
            pass
        answer = server.pages.get(path[0] if path else "", _page("404 Not Found"))
        try:
            for part in answer():
                self.wfile.write(part)
        except OSError:
            return  # the client closed before it read the whole answer


class StrangeServer(socketserver.ThreadingTCPServer):
    """Serves `PAGES`, one good picture, and a redirect to another server."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, picture: bytes, elsewhere: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"127.0.0.1:{self.server_address[1]}"
        self.asked = itertools.count()
        """Its next number is how often the server was asked."""
        self.pages = PAGES | {
            "/good.png": _page("200 OK", picture),
            "/moved": _page("302 Found", b"", f"Location: http://{elsewhere}/good.png"),
        }

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
