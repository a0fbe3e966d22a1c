"""The real host around a preview engine with one oddity: ODDITY, options."""

import os
import sys
from collections.abc import Sequence

from storycanvas.faces.errors import EngineFailed, NoFace
from storycanvas.faces.operations import AgeAdjustOperation, FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.command_line import read_settings
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.engines.preview import PreviewEngine
from storycanvas.host.serving import serve

FAULTS = {
    "breaks-down": EngineFailed("The engine broke down."),
    "sees-nothing": NoFace("The picture shows no face."),
}


class OddEngine(PreviewEngine):
    def __init__(self, oddity: str) -> None:
        super().__init__()
        self._oddity = oddity
        if oddity == "other-version":
            self.version = "2"

    def models(self) -> tuple[str, ...]:
        return () if self._oddity == "lacks-models" else super().models()

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        if isinstance(operation, AgeAdjustOperation) and self._oddity in FAULTS:
            raise FAULTS[self._oddity]
        return super().run(operation, pictures)


if __name__ == "__main__":
    serve(read_settings(sys.argv[2:], os.environ), OddEngine(sys.argv[1]))
