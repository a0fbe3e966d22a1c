"""A server that introduces itself as an old MongoDB: there is none of those for this machine."""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bson

QUERY, REPLY, MESSAGE = 2004, 1, 2013
HEADER = struct.Struct("<4i")


class Introduction(socketserver.StreamRequestHandler):
    """Answers every command with what `hello` and `buildInfo` report."""

    def handle(self) -> None:
        while header := self.rfile.read(HEADER.size):
            length, request, _, kind = HEADER.unpack(header)
            self.rfile.read(length - HEADER.size)
            document = bson.encode(self.server.introduction)  # type: ignore[attr-defined]
            if kind == QUERY:
                body, answer = struct.pack("<iqii", 8, 0, 0, 1) + document, REPLY
            else:
                body, answer = struct.pack("<ib", 0, 0) + document, MESSAGE
            self.wfile.write(HEADER.pack(HEADER.size + len(body), 1, request, answer) + body)


@contextmanager
def old_server(version: str, wire_version: int) -> Iterator[str]:
    """Run one on loopback for as long as the context is open, and give its connection string."""
    introduction: dict[str, Any] = {"ok": 1, "isWritablePrimary": True, "ismaster": True}
    introduction |= {"maxWireVersion": wire_version, "minWireVersion": 0, "version": version}
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Introduction) as server:
        server.daemon_threads = True
        server.introduction = introduction  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"mongodb://127.0.0.1:{server.server_address[1]}/?serverMonitoringMode=poll"
        server.shutdown()
