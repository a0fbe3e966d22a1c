"""A face host that notes when its engine works: the judge of a guard with a real host behind it.

`python -m tests.support.flows.noted_host NOTES [OPTIONS]` has two slots, so that it would work on
two operations at one time if it got them.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.command_line import read_settings
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.engines.preview import PreviewEngine
from storycanvas.host.serving import serve
from storycanvas.services.face_host import FaceHost
from storycanvas.services.process import Program
from tests.support.guard.counting_host import Served

SLOTS = 2


class NotedEngine(PreviewEngine):
    def __init__(self, notes: Path) -> None:
        super().__init__()
        self._notes = notes

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        began = time.monotonic()
        try:
            return super().run(operation, pictures)
        finally:
            line = json.dumps(Served(operation.path, began, time.monotonic()))
            with self._notes.open("a") as file:
                file.write(f"{line}\n")


class NotedHost(FaceHost):
    """Starts it.

    Args:
        notes: The file in which it notes what its engine has done.
    """

    def __init__(self, notes: Path) -> None:
        super().__init__()
        self.notes = notes

    def program(self, directory: Path, port: int) -> Program:
        usual = super().program(directory, port)
        options = usual.argv[usual.argv.index("storycanvas.host") + 1 :]
        module = "tests.support.flows.noted_host"
        argv = (sys.executable, "-m", module, str(self.notes), *options, "--slots", str(SLOTS))
        return replace(usual, argv=argv)

    def served(self) -> list[Served]:
        """Read what the engine has done, in the order in which it began."""
        done = [Served(*json.loads(line)) for line in self.notes.read_text().splitlines()]
        return sorted(done, key=lambda call: call.started)


def overlaps(served: Sequence[Served]) -> int:
    """Count calls that began while one before them was in service."""
    count, busy_until = 0, 0.0
    for call in served:
        count += call.started < busy_until
        busy_until = max(busy_until, call.ended)
    return count


if __name__ == "__main__":
    serve(read_settings(sys.argv[2:], os.environ), NotedEngine(Path(sys.argv[1])))
