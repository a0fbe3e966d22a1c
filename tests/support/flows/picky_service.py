"""The picky host as a local service."""

import sys
from dataclasses import replace
from pathlib import Path

from storycanvas.services.face_host import FaceHost
from storycanvas.services.process import Program


class PickyHost(FaceHost):
    def __init__(self, *, refused_age: int) -> None:
        super().__init__()
        self._refused_age = refused_age

    def program(self, directory: Path, port: int) -> Program:
        usual = super().program(directory, port)
        options = usual.argv[usual.argv.index("storycanvas.host") + 1 :]
        return replace(
            usual,
            argv=(
                sys.executable,
                "-m",
                "tests.support.flows.picky_host",
                str(self._refused_age),
                *options,
            ),
        )
