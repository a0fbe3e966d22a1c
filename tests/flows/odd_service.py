"""The odd host as a local service."""

import sys
from dataclasses import replace
from pathlib import Path

from services.face_host import FaceHost
from services.process import Program


class OddHost(FaceHost):
    def __init__(self, oddity: str) -> None:
        super().__init__()
        self._oddity = oddity

    def program(self, directory: Path, port: int) -> Program:
        usual = super().program(directory, port)
        options = usual.argv[usual.argv.index("host") + 1 :]
        script = Path(__file__).with_name("odd_host.py")
        return replace(usual, argv=(sys.executable, str(script), self._oddity, *options))
