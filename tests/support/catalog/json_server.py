"""A real HTTP server on loopback that answers each path with what it was given."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.support.catalog.comfyui_server import Answer, ComfyuiServer


class JsonServer(ComfyuiServer):
    """What it answers, a number being a status, and what it was asked.

    Attributes:
        silent: Set while it takes requests without answering them.
    """

    def __init__(self, answers: Mapping[str, object]) -> None:
        super().__init__(answers)
        self.silent = threading.Event()

    @property
    def asked(self) -> dict[str, Mapping[str, str]]:
        """Paths, and the headers of the newest request for each."""
        return {request.path: request.headers for request in self.requests}

    def answer_to(self, path: str) -> Answer:
        found = self.answers.get(path)
        answer = Answer(status=found) if isinstance(found, int) else super().answer_to(path)
        return Answer(is_held_back=True) if self.silent.is_set() else answer


@contextmanager
def json_server(answers: Mapping[str, object]) -> Iterator[JsonServer]:
    """Serve until the context ends; other paths are 404."""
    with JsonServer(answers) as server:
        yield server


COMFYUI: Mapping[str, object] = {
    "/system_stats": {
        "system": {"os": "linux", "comfyui_version": "0.3.60", "ram_free": 2**70},
        "devices": [{"name": "cuda:0", "type": "cuda", "vram_free": None}],
    },
    "/queue": {"queue_running": [[0, "a", {}]], "queue_pending": [[1, "b", {}], [2, "c", {}]]},
}
"""A ComfyUI server with three jobs."""
