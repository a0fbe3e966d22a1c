"""A face host with the preview engine: the whole system runs on a machine without a GPU."""

import os
import sys
from pathlib import Path

from storycanvas.services.local_service import LocalService
from storycanvas.services.ports import LOOPBACK, ask
from storycanvas.services.process import CODE, Program
from storycanvas.services.record import Record


class FaceHost(LocalService):
    """The project's own face host on loopback, which needs no token there.

    Attributes:
        allowed_roots: Directories whose pictures it may read by absolute path.
    """

    name = "face_host"

    def __init__(
        self, *, allowed_roots: tuple[Path, ...] = (), preferred_port: int | None = None
    ) -> None:
        self.allowed_roots = allowed_roots
        self.preferred_port = preferred_port

    def program(self, directory: Path, port: int) -> Program:
        """Build the program to start."""
        argv = [sys.executable, "-m", "storycanvas.host", "--engine", "preview", "--slots", "1"]
        argv += ["--host", LOOPBACK, "--port", str(port), "--queue", "16"]
        argv += ["--data-dir", str(directory / "data")]
        for root in self.allowed_roots:
            argv += ["--allow-root", str(root.resolve())]
        environment = dict(os.environ)
        # It is shared by processes that may know different tokens, and of loopback only.
        environment.pop("FACEFUSION_TOKEN", None)
        return Program(tuple(argv), CODE, environment)

    def url(self, port: int) -> str:
        """Build the address for clients."""
        return f"http://{LOOPBACK}:{port}"

    def becomes_ready(self, record: Record) -> bool:
        """Make one try to get the host's status."""
        return ask(f"{record.url}/api/v1/status") is not None
