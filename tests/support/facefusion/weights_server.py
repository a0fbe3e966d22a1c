"""The server of FaceFusion's weights, on loopback, for a curl that takes it for the real one."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ASSETS = "/facefusion/facefusion-assets/releases/download/"


class _Handler(BaseHTTPRequestHandler):
    server: "WeightsServer"

    def do_HEAD(self) -> None:
        """Answer FaceFusion's questions: which server is there, and how long a file is."""
        content = self.server.files.get(self.path.rpartition("/")[2])
        self._answer(200 if content or self.path == "/" else 404, len(content or b"Not Found"))

    def do_GET(self) -> None:
        """Send a file, or the rest of it, or only the beginning of one that breaks off."""
        name = self.path.rpartition("/")[2]
        self.server.asked.append(name)
        content = self.server.files.get(name)
        if content is None or not self.path.startswith(ASSETS):
            self._answer(404, 9)
            self.wfile.write(b"Not Found")
            return
        begin = int(self.headers.get("Range", "bytes=0-")[6:-1])
        if begin and begin >= len(content):
            self._answer(416, 0)
            return
        self._answer(206 if begin else 200, len(content) - begin, f"{begin}-/{len(content)}")
        breaks_off = self.server.breaking_off.pop(name, None)
        self.wfile.write(content[begin:breaks_off])

    def _answer(self, status: int, length: int, part: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        if status == 206:
            begin, _, whole = part.partition("-/")
            self.send_header("Content-Range", f"bytes {begin}-{int(whole) - 1}/{whole}")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class WeightsServer(ThreadingHTTPServer):
    """Serves files by name.

    Attributes:
        files: What it has.
        breaking_off: Bytes after which the next answer breaks off, by name.
        asked: The names that were asked for.
    """

    def __init__(self, files: dict[str, bytes], certificate: Path, key: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.asked = files, list[str]()
        self.breaking_off: dict[str, int] = {}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_: object) -> None:
        """A reader that hangs up is expected."""


@contextmanager
def serving_weights(folder: Path, files: dict[str, bytes]) -> Iterator[WeightsServer]:
    """Serve files; `CURL_HOME` set to the folder leads curl here."""
    certificate, key = folder / "server.crt", folder / "server.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=github.com", "-keyout", key, "-out", certificate),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    with WeightsServer(files, certificate, key) as server:
        there = f"127.0.0.1:{server.server_port}"
        (folder / ".curlrc").write_text(f'connect-to = "github.com:443:{there}"\ninsecure\n')
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield server
        server.shutdown()
