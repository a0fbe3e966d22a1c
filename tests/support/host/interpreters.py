"""The Pythons of this machine: pyenv's, and those on `PATH`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
ASKED = "import sys; print('%d.%d' % sys.version_info[:2])"


def find_python(version: str) -> str | None:
    """Find a Python by its version; a shim of pyenv without that version fails when asked."""
    found = [str(path) for path in sorted(PYENV.glob(f"{version}.*/bin/python"))]
    on_path = shutil.which(f"python{version}")
    for program in [*found, *([on_path] if on_path else [])]:
        ended = subprocess.run(
            [program, "-c", ASKED], capture_output=True, text=True, check=False, timeout=30
        )
        if ended.stdout.strip() == version:
            return program
    return None


def interpreter(*versions: str) -> str:
    """Find the first of these versions, or skip the test by their names."""
    for version in versions:
        if found := find_python(version):
            return found
    pytest.skip(f"no Python {' or '.join(versions)} on this machine")
