"""The real program around an engine that records its calls: FOLDER, then the host's options.

Each call appends a line to FOLDER/calls. While the named pipe FOLDER/gate is there, a call waits
until the pipe is opened for writing.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.command_line import read_settings
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.log import start_logging
from storycanvas.host.serving import serve
from tests.support.host.gated_engine import BareEngine


class RecordingEngine(BareEngine):
    name = "recording"
    version = "1"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        with (self._folder / "calls").open("a") as calls:
            calls.write(f"{operation.path}\n")
        gate = self._folder / "gate"
        if gate.exists():
            gate.read_bytes()
        return EngineResult(pictures[0], (), None)


if __name__ == "__main__":
    start_logging()
    serve(read_settings(sys.argv[2:], os.environ), RecordingEngine(Path(sys.argv[1])))
