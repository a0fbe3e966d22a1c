"""ComfyUI servers that only list, in a process of their own.

python -m benchmarks.listing_servers 10 10000
"""

import json
import multiprocessing
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection

FOLDERS = {"loras": 0.8, "checkpoints": 0.1, "controlnet": 0.05, "vae": 0.05}
"""Folders, and which part of a server's models each has."""
STATS = {"system": {"comfyui_version": "0.3.60"}, "devices": []}


def bodies(server: int, models: int) -> dict[str, bytes]:
    """Make the answers of a server, by path; a tenth of its models stands on no other server."""
    answers: dict[str, object] = {"/system_stats": STATS, "/models": [*FOLDERS]}
    for folder, part in FOLDERS.items():
        count = round(models * part)
        shared = [f"style{n % 97}/shared_model_{n:06}_v1.safetensors" for n in range(count)]
        own = [f"own/server{server}_model_{n:06}.safetensors" for n in range(count // 10)]
        answers[f"/models/{folder}"] = [*own, *shared[len(own) :]]
    return {path: json.dumps(answer).encode() for path, answer in answers.items()}


def _serve(servers: int, models: int, parent: Connection) -> None:
    ports = []
    for number in range(servers):
        listening = ThreadingHTTPServer(("127.0.0.1", 0), _handler(bodies(number, models)))
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        ports.append(listening.server_address[1])
    parent.send(ports)
    threading.Event().wait()


def _handler(answers: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # as ComfyUI's server; else each answer waits for 40 ms
        wbufsize = -1

        def do_GET(self) -> None:
            body = answers.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler


@contextmanager
def listing_servers(servers: int, models: int) -> Iterator[list[str]]:
    """Run servers that list so many models each, and yield their addresses."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    work = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(servers, models, theirs), daemon=True
    )
    work.start()
    theirs.close()  # with it open here, reading `ours` would block when the process dies
    try:
        yield [f"http://127.0.0.1:{port}" for port in ours.recv()]
    finally:
        work.terminate()
        work.join()


if __name__ == "__main__":
    with listing_servers(*map(int, sys.argv[1:])) as addresses:
        print(*addresses, sep="\n")
        threading.Event().wait()
