"""FaceFusion checkouts that tests may spoil: copies of a real one, stand-ins, mere outlines."""

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.support.facefusion.stand_in.checkout import write_stand_in

HOME_VARIABLE = "TEST_FACEFUSION_HOME"
PYTHON_VARIABLE = "TEST_FACEFUSION_PYTHON"
PRODUCER = b"synthetic-weights"
_HEAD_BYTES = 256
PROGRAMS = ("curl", "ffmpeg", "ffprobe")
SAYS_VERSION = "print('FaceFusion 3.8.1')"


@dataclass(frozen=True)
class Checkout:
    """A checkout and the Python that runs it."""

    home: Path
    python: Path

    @property
    def models(self) -> Path:
        """Where its weights lie."""
        return self.home / ".assets" / "models"


def write_checkout(home: Path) -> Checkout:
    """Put a FaceFusion into a new folder: a copy of the real one that the environment names.

    Raises:
        ValueError: The real one has weights that are not stand-ins.
    """
    real = os.environ.get(HOME_VARIABLE)
    if not real:
        return stand_in(home)
    original = Checkout(Path(real), Path(os.environ[PYTHON_VARIABLE]))
    refuse_real_weights(original)
    shutil.copytree(original.home, home, ignore=shutil.ignore_patterns("__pycache__", ".git"))
    return Checkout(home, original.python)


def stand_in(home: Path, version: str = "3.8.1") -> Checkout:
    """Put the stand-in into a new folder, whatever the environment names."""
    write_stand_in(home, version)
    return Checkout(home, Path(sys.executable))


def refuse_real_weights(checkout: Checkout) -> None:
    """Insist on weights whose effects are known, and whose content analyser knows magenta only."""
    for path in sorted(checkout.models.glob("*.onnx")):
        with path.open("rb") as file:
            if PRODUCER not in file.read(_HEAD_BYTES):
                raise ValueError(
                    f"{path} is not a stand-in: name in {HOME_VARIABLE} a FaceFusion checkout of "
                    "its own for tests, and let synthetic_weights.py write its weights."
                )


def programs(folder: Path) -> str:
    """Return a PATH with all that FaceFusion asks for; the stand-in starts none of it."""
    path = os.environ["PATH"]
    for name in PROGRAMS:
        if shutil.which(name) is None:
            make_executable(folder / name)
    return f"{path}{os.pathsep}{folder}"


def make_checkout(home: Path, program: str = SAYS_VERSION) -> Path:
    """Make a folder that looks like a checkout, with a program that prints a version."""
    home.mkdir()
    (home / "facefusion.py").write_text(program)
    return home


def make_programs(folder: Path, names: Iterable[str] = PROGRAMS) -> str:
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


def outline_environment(home: Path, programs: str) -> dict[str, str]:
    return {"FACEFUSION_HOME": str(home), "FACEFUSION_PYTHON": sys.executable, "PATH": programs}


def put_weights(home: Path, files: Iterable[str]) -> None:
    models = home / ".assets" / "models"
    models.mkdir(parents=True, exist_ok=True)
    for name in files:
        (models / name).touch()
