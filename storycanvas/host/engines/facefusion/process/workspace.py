"""Folders and files that one operation has for itself.

FaceFusion caches verdicts and pictures by path: with 3.8.1 a path used twice let a refused picture
through and mixed pictures up (docs/facefusion.md). So no path is ever used again.
"""

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path


class Workspace:
    """The files of one operation; every name in it is new."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def picture(self) -> Path:
        """Return the path of a BMP that FaceFusion is to read, and that does not exist yet."""
        return self._new("picture.bmp")

    def output(self) -> Path:
        """Return the path of a file that does not exist yet."""
        return self._new("output.bmp")

    def paths(self, target: Path, output: Path, sources: Sequence[Path] = ()) -> tuple[str, ...]:
        """Return the path options of one run, with folders of its own."""
        temp, jobs = self._new("temp"), self._new("jobs")
        temp.mkdir()  # the folder for jobs is made by FaceFusion
        given = ("--source-paths", *map(str, sources)) if sources else ()
        own = ("--temp-path", str(temp), "--jobs-path", str(jobs))
        return (*own, *given, "--target-path", str(target), "--output-path", str(output))

    def _new(self, name: str) -> Path:
        return self.folder / f"{secrets.token_hex(8)}-{name}"


@contextlib.contextmanager
def fresh_workspace(parent: Path) -> Iterator[Workspace]:
    """Make a workspace that is removed afterwards, with all that FaceFusion left in it."""
    folder = parent / secrets.token_hex(16)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield Workspace(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(parent: Path) -> None:
    """Remove the workspaces of a host that was killed."""
    shutil.rmtree(parent, ignore_errors=True)
