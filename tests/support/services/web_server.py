import sys
from pathlib import Path

from storycanvas.services.local_service import LocalService
from storycanvas.services.ports import LOOPBACK, is_free
from storycanvas.services.process import Program
from storycanvas.services.record import Record

SERVE = ("-m", "http.server", "--bind", LOOPBACK)


class WebServer(LocalService):
    """The quickest real service there is, or a program that takes its place."""

    name = "web_server"

    def __init__(self, *arguments: str, path: str = "", preferred_port: int | None = None) -> None:
        self.arguments = arguments
        self.path = path
        self.preferred_port = preferred_port

    def program(self, directory: Path, port: int) -> Program:
        arguments = self.arguments or (*SERVE, str(port))
        return Program((sys.executable, *arguments), directory, {})

    def url(self, port: int) -> str:
        return f"http://{LOOPBACK}:{port}{self.path}"

    def becomes_ready(self, record: Record) -> bool:
        return not is_free(record.port)
