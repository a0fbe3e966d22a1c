"""The odd host as a local service."""

import sys
from dataclasses import replace
from pathlib import Path

from storycanvas.services.face_host import FaceHost
from storycanvas.services.process import Program


class OddHost(FaceHost):
    def __init__(self, oddity: str) -> None:
        super().__init__()
        self._oddity = oddity

    def program(self, directory: Path, port: int) -> Program:
        usual = super().program(directory, port)
        options = usual.argv[usual.argv.index("storycanvas.host") + 1 :]
        return replace(
            usual,
            argv=(sys.executable, "-m", "tests.support.flows.odd_host", self._oddity, *options),
        )
