"""The picky host as a local service."""

import sys
from dataclasses import replace
from pathlib import Path

from services.face_host import FaceHost
from services.process import Program


class PickyHost(FaceHost):
    def __init__(self, *, refused_age: int) -> None:
        super().__init__()
        self._refused_age = refused_age

    def program(self, directory: Path, port: int) -> Program:
        usual = super().program(directory, port)
        options = usual.argv[usual.argv.index("host") + 1 :]
        script = Path(__file__).with_name("picky_host.py")
        return replace(usual, argv=(sys.executable, str(script), str(self._refused_age), *options))
