"""The real host around an engine that takes a fixed time.

    python -m benchmarks.timed_host SECONDS NOTES [the host's options]


It stands in for a GPU: it needs no processor while it works, and notes when each operation began
and ended, by the machine's monotonic clock.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import ImageChops

from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.reading import Picture, decode, normal_form
from storycanvas.host.command_line import read_settings
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.engines.preview import PreviewEngine
from storycanvas.host.serving import serve


class TimedEngine(PreviewEngine):
    """Looks for faces as the preview engine does; every change is a small shift.

    Each change is noted in a file, `started ended` a line.
    """

    name = "timed"

    def __init__(self, seconds: float, notes: Path) -> None:
        super().__init__()
        self._seconds = seconds
        self._notes = notes
        self._done = 0

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        """Take the fixed time and shift the picture a little, never twice the same way."""
        if not operation.makes_picture:
            return super().run(operation, pictures)
        started = time.monotonic()
        time.sleep(self._seconds)  # the work itself
        with self._notes.open("a") as notes:
            notes.write(f"{started} {time.monotonic()}\n")
        self._done += 1
        image = decode(pictures[-1].png, "target")
        return EngineResult(normal_form(ImageChops.offset(image, self._done)), (), None)


if __name__ == "__main__":
    took, kept, *options = sys.argv[1:]
    serve(read_settings(options, os.environ), TimedEngine(float(took), Path(kept)))
