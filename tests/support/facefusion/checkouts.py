"""FaceFusion checkouts that tests may spoil: stand-ins, or copies of a real one."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.facefusion.stand_in.checkout import write_stand_in

HOME_VARIABLE = "TEST_FACEFUSION_HOME"
PYTHON_VARIABLE = "TEST_FACEFUSION_PYTHON"
PRODUCER = b"synthetic-weights"
_HEAD_BYTES = 256
_PROGRAMS = ("curl", "ffmpeg", "ffprobe")


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
                    f"{path} is no stand-in: name in {HOME_VARIABLE} a FaceFusion checkout of its "
                    "own for tests, and let synthetic_weights.py write its weights."
                )


def programs(folder: Path) -> str:
    """Return a PATH with all that FaceFusion asks for; the stand-in starts none of it."""
    path = os.environ["PATH"]
    for name in _PROGRAMS:
        if shutil.which(name) is None and not (folder / name).exists():
            folder.mkdir(exist_ok=True)
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o700)
    return f"{path}{os.pathsep}{folder}"
