"""Connections to a host: requests whose client goes away, and a relay that counts."""

import contextlib
import http.client
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any, Self

from storycanvas.faces.contract import API, IDEMPOTENCY_HEADER

PROMPT = 0.01


@contextlib.contextmanager
def asked_and_gone(
    url: str, path: str, body: dict[str, Any], key: str | None = None
) -> Iterator[None]:
    """Send a request, and close its connection when the block ends."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    headers = {"Content-Type": "application/json"} | ({IDEMPOTENCY_HEADER: key} if key else {})
    connection.request("POST", f"{API}/{path}", json.dumps(body), headers)
    try:
        yield
    finally:
        connection.close()


@contextlib.contextmanager
def half_an_upload(url: str, picture: bytes) -> Iterator[None]:
    """Send all of a picture but its last byte, and close the connection when the block ends."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.putrequest("POST", f"{API}/assets")
    connection.putheader("Content-Length", str(len(picture)))
    connection.endheaders(picture[:-1])
    try:
        yield
    finally:
        connection.close()


class _Passing(socketserver.BaseRequestHandler):
    server: "CountingRelay"

    def handle(self) -> None:
        self.server.connections += 1
        with socket.create_connection(("127.0.0.1", self.server.port)) as onward:
            back = threading.Thread(target=_pass, args=(onward, self.request))
            back.start()
            _pass(self.request, onward)
            back.join()


def _pass(source: socket.socket, sink: socket.socket) -> None:
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)


class CountingRelay(socketserver.ThreadingTCPServer):
    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.port = port
        self.connections = 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(PROMPT,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
