"""The real host around a preview engine whose content analyser refuses one age: AGE, options."""

import os
import sys
from collections.abc import Sequence

from storycanvas.faces.errors import ContentRejected
from storycanvas.faces.operations import AgeAdjustOperation, FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.command_line import read_settings
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.engines.preview import PreviewEngine
from storycanvas.host.serving import serve


class PickyEngine(PreviewEngine):
    def __init__(self, refused: int) -> None:
        super().__init__()
        self._refused = refused

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        if isinstance(operation, AgeAdjustOperation) and operation.target_age == self._refused:
            raise ContentRejected("The content analyser refuses this picture.")
        return super().run(operation, pictures)


if __name__ == "__main__":
    serve(read_settings(sys.argv[2:], os.environ), PickyEngine(int(sys.argv[1])))
