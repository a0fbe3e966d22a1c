"""Passes connections on to a server and counts them."""

import socket
import socketserver
import threading
from typing import Self

PROMPT = 0.01


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
