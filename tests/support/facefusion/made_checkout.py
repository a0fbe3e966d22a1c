"""Folders that look like a FaceFusion checkout, with a program that prints a given version."""

import sys
from collections.abc import Iterable
from pathlib import Path

SAYS_VERSION = "print('FaceFusion 3.8.1')"


def make_checkout(home: Path, program: str = SAYS_VERSION) -> Path:
    home.mkdir()
    (home / "facefusion.py").write_text(program)
    return home


def make_programs(folder: Path, names: Iterable[str] = ("curl", "ffmpeg", "ffprobe")) -> str:
    """A folder for PATH."""
    folder.mkdir()
    for name in names:
        make_executable(folder / name)
    return str(folder)


def make_executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def environment_of(home: Path, programs: str) -> dict[str, str]:
    return {"FACEFUSION_HOME": str(home), "FACEFUSION_PYTHON": sys.executable, "PATH": programs}


def put_weights(home: Path, files: Iterable[str]) -> None:
    models = home / ".assets" / "models"
    models.mkdir(parents=True, exist_ok=True)
    for name in files:
        (models / name).touch()
