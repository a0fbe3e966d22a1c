"""The pictures of a local image store over HTTP on loopback, for a browser on this machine."""

import os
import sys
from pathlib import Path

from storycanvas.services.local_service import LocalService
from storycanvas.services.ports import LOOPBACK, is_free
from storycanvas.services.process import CODE, Program
from storycanvas.services.record import Record


class PictureServer(LocalService):
    """A read-only server of what an image store wrote.

    Attributes:
        store: URL of the image store; its root is a folder of this machine.
    """

    name = "picture_server"

    def __init__(self, *, store: str, preferred_port: int | None = None) -> None:
        self.store = store
        self.preferred_port = preferred_port

    def program(self, directory: Path, port: int) -> Program:
        """Build the program to start; it writes nothing."""
        del directory
        argv = [sys.executable, "-m", "storycanvas.services.picture_app"]
        argv += [self.store, LOOPBACK, str(port)]
        return Program(tuple(argv), CODE, dict(os.environ))

    def url(self, port: int) -> str:
        """Build the address of the store's root."""
        return f"http://{LOOPBACK}:{port}"

    def becomes_ready(self, record: Record) -> bool:
        """Check whether it listens, which it does once it can answer."""
        return not is_free(record.port)
