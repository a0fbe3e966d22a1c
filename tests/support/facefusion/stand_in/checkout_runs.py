"""Runs a stand-in checkout as a program, with folders of its own for each run."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


class Ran(NamedTuple):
    """What one run left behind."""

    code: int
    errors: str
    output: Path
    jobs: list[str]

    @property
    def pixels(self) -> Pixels:
        return pixels_of(self.output)


class CheckoutRuns:
    """Runs of one checkout, on pictures below one folder."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home = home
        self.folder = folder
        self.count = 0

    def command(self, target: Path, *options: str) -> list[str]:
        """Return the arguments of a run with an output and folders that were not used before."""
        self.count += 1
        own = self.folder / f"run-{self.count}"
        own.mkdir()
        paths = {
            "-t": target,
            "-o": own / "out.png",
            "--temp-path": own / "temp",
            "--jobs-path": own / "jobs",
        }
        return ["headless-run", *(str(part) for pair in paths.items() for part in pair), *options]

    def start(self, arguments: list[str], cwd: Path | None = None) -> subprocess.Popen[str]:
        """Start the program; the caller ends it."""
        return subprocess.Popen(
            [sys.executable, str(self.home / "facefusion.py"), *arguments],
            cwd=cwd or self.home,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, target: Path, *options: str) -> Ran:
        """Run it to its end."""
        arguments = self.command(target, *options)
        with self.start(arguments) as process:
            output, errors = process.communicate(timeout=60)
        assert output == ""
        own = self.folder / f"run-{self.count}"
        jobs = [path.parent.name for path in own.glob("jobs/*/*.json")]
        return Ran(process.returncode, errors, own / "out.png", jobs)

    def picture(self, name: str, colour: tuple[int, int, int], size: tuple[int, int]) -> Path:
        """Make a picture of one colour (RGB) and size (width, height)."""
        path = self.folder / f"{name}.png"
        Image.new("RGB", size, colour).save(path)
        return path


def pixels_of(path: Path) -> Pixels:
    """Read a picture as numbers that can be subtracted."""
    with Image.open(path) as picture:
        return np.asarray(picture).astype(np.int64)
