"""Face hosts with an oddity, as local services, and what a test does to a host while a run uses it.

`python -m tests.support.flows.hosts ODDITY [OPTIONS]` is the real host around an odd engine.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
from PIL import Image, ImageStat

from deployments.sample import PORTRAIT
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.errors import ContentRejected, EngineFailed, NoFace
from storycanvas.faces.measures.measure import Likeness
from storycanvas.faces.operations import AgeAdjustOperation, EnhanceOperation, FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.command_line import read_settings
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.engines.measuring import current_measuring
from storycanvas.host.engines.preview import PreviewEngine
from storycanvas.host.serving import serve
from storycanvas.services.face_host import FaceHost
from storycanvas.services.process import Program
from storycanvas.services.shared import Lease

POLL_SECONDS = 0.01
SLOW_SECONDS = 1.0
"""What the host with the oddity `slow` takes for each picture."""
REFUSED_AGE = 45
FAULTS = {
    "breaks-down": EngineFailed("The engine broke down."),
    "sees-nothing": NoFace("The picture shows no face."),
    "sees-nothing-either": NoFace("The picture shows no face."),
}


LIKENESS = Likeness(compared_with="input", after=0.2612, scale="facefusion")
"""What the host with the oddity `measures` answers of each face that it has changed: one person's
by the usual bound, and another's by the narrowest of a character."""
DARK = 0.95
"""Of the lightness of the sample: below it the host with the oddity `measures-by-day` sees no face
in a picture that is compared with another one."""
ONE_REASON = "The engine has no memory left."


class OddEngine(PreviewEngine):
    def __init__(self, oddity: str) -> None:
        super().__init__()
        self._oddity = oddity
        if oddity.startswith("measures"):
            self.name = "facefusion"  # the engine whose hosts measure
        if oddity.endswith("other-version"):
            self.version += ".1"

    def models(self) -> tuple[str, ...]:
        return () if self._oddity == "lacks-models" else super().models()

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        if self._oddity.startswith("slow") and operation.makes_picture:
            time.sleep(SLOW_SECONDS)  # the work itself
        if isinstance(operation, AgeAdjustOperation):
            if self._oddity in FAULTS:
                raise FAULTS[self._oddity]
            if self._oddity == "refuses-an-age" and operation.target_age == REFUSED_AGE:
                raise ContentRejected("The content analyser refuses this picture.")
        if isinstance(operation, EnhanceOperation) and self._oddity == "restores-nothing":
            raise EngineFailed(ONE_REASON)
        result = super().run(operation, pictures)
        if self._oddity == "measures-by-day" and len(pictures) > 1:
            result = seen_by_day(result, pictures)
        if (
            self._oddity.startswith("measures")
            and current_measuring().wanted
            and operation.changes_faces
        ):
            return replace(result, likeness=LIKENESS)
        return result


def seen_by_day(found: EngineResult, pictures: Sequence[Picture]) -> EngineResult:
    """Refuse a dark reference, and find nothing in a dark picture, as FaceFusion does both."""
    *references, searched = (is_dark(picture) for picture in pictures)
    if any(references):
        raise NoFace("No face was found in reference_image.")
    return replace(found, faces=(), chosen=()) if searched else found


def is_dark(picture: Picture) -> bool:
    with Image.open(PORTRAIT) as sample:
        usual = ImageStat.Stat(sample.convert("L")).mean[0]
    return ImageStat.Stat(picture.image.convert("L")).mean[0] < DARK * usual


class OddHost(FaceHost):
    def __init__(self, oddity: str, preferred_port: int | None = None) -> None:
        super().__init__(preferred_port=preferred_port)
        self._oddity = oddity

    def program(self, directory: Path, port: int) -> Program:
        usual = super().program(directory, port)
        options = usual.argv[usual.argv.index("storycanvas.host") + 1 :]
        argv = (sys.executable, "-m", "tests.support.flows.hosts", self._oddity, *options)
        return replace(usual, argv=argv)


def kill(lease: Lease) -> None:
    """Kill a local service's process and wait for its end."""
    process = psutil.Process(lease.record.identity.pid)
    process.kill()
    process.wait()


def after_operations(url: str, count: int, then: Callable[[], None]) -> threading.Thread:
    """Call a function as soon as a host has performed so many operations."""

    def watch() -> None:
        ended = threading.Event()
        with FaceHostClient(url) as host:
            while host.status().operations < count:
                ended.wait(POLL_SECONDS)
        then()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


if __name__ == "__main__":
    serve(read_settings(sys.argv[2:], os.environ), OddEngine(sys.argv[1]))
