"""The FaceFusion that the operator installed: where it is, its Python, its version."""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from storycanvas.host.engines.engine import EngineUnusable
from storycanvas.host.engines.facefusion.drivers.versions import VERSIONS, refusal, version_of
from storycanvas.host.engines.facefusion.process.commands import Ended, run_short_command
from storycanvas.host.engines.facefusion.process.environment import facefusion_environment

HOME_VARIABLE = "FACEFUSION_HOME"
PYTHON_VARIABLE = "FACEFUSION_PYTHON"
PROGRAM = "facefusion.py"
PROGRAMS = ("curl", "ffmpeg", "ffprobe")
"""Other programs that FaceFusion 3.8.1 refuses to start without."""
SUPPORTED = tuple(VERSIONS)
VERSION_SECONDS = 60.0
"""FaceFusion 3.8.1 takes 1 to 2 s to print its version, more from a cold disk."""

_VENV_PYTHONS = (
    ".venv/bin/python",
    "venv/bin/python",
    ".venv/Scripts/python.exe",
    "venv/Scripts/python.exe",
)


class InstallationUnusable(EngineUnusable):
    """FaceFusion is not there, not complete, or of a version that is not supported."""


@dataclass(frozen=True)
class Installation:
    """A FaceFusion that can be started.

    Attributes:
        home: The folder of its checkout, absolute; its working directory, too.
        python: The interpreter that has its requirements, absolute.
        version: FaceFusion's own, `3.8.1` for example.
    """

    home: Path
    python: Path
    version: str


def find_installation(
    environment: Mapping[str, str], seconds: float = VERSION_SECONDS
) -> Installation:
    """Find FaceFusion and ask it for its version, which takes a second or two.

    Args:
        environment: `FACEFUSION_HOME`, the folder of `facefusion.py`; `FACEFUSION_PYTHON`, by
            default the Python of a `.venv` or `venv` in that folder; `PATH`, where FaceFusion
            finds curl, ffmpeg and ffprobe.
        seconds: Longest wait for the answer.

    Raises:
        InstallationUnusable: What is wrong, with the value and what to do.
    """
    home = find_home(environment)
    refused = refused_version(home)
    if refused:
        raise InstallationUnusable(refused)
    python = find_python(environment, home)
    missing = missing_programs(environment)
    if missing:
        raise InstallationUnusable(
            f"FaceFusion needs {' and '.join(missing)}, not found on PATH "
            f"({environment.get('PATH') or 'empty'}): install it, or add its folder to PATH."
        )
    version = supported_version(_asked_version(home, python, environment, seconds))
    return Installation(home, python, version)


def find_home(environment: Mapping[str, str]) -> Path:
    """Find the folder of FaceFusion's checkout."""
    value = environment.get(HOME_VARIABLE)
    if not value:
        raise InstallationUnusable(
            f"{HOME_VARIABLE} is not set: set it to the folder of FaceFusion's {PROGRAM}."
        )
    home = Path(value).expanduser().absolute()
    if not home.is_dir():
        raise InstallationUnusable(
            f"{HOME_VARIABLE} is {value}, which is not a folder: set it to the folder of "
            f"FaceFusion's {PROGRAM}."
        )
    if not (home / PROGRAM).is_file():
        raise InstallationUnusable(
            f"{HOME_VARIABLE} is {value}, which has no {PROGRAM}: set it to the folder of a "
            "FaceFusion checkout."
        )
    return home


def find_python(environment: Mapping[str, str], home: Path) -> Path:
    """Find the interpreter that runs FaceFusion: a path, a command on `PATH`, or one in `home`.

    Links are kept in the absolute path, because a virtual environment's Python is a link.
    """
    value = environment.get(PYTHON_VARIABLE)
    if not value:
        return _python_inside(home)
    found = shutil.which(Path(value).expanduser(), path=environment.get("PATH", ""))
    if found is None:
        raise InstallationUnusable(
            f"{PYTHON_VARIABLE} is {value}, which is missing or cannot be executed: set it to the "
            "Python that has FaceFusion's requirements."
        )
    return Path(found).absolute()


def missing_programs(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the programs that FaceFusion needs on `PATH` and would not find."""
    path = environment.get("PATH", "")
    return tuple(name for name in PROGRAMS if shutil.which(name, path=path) is None)


def supported_version(output: str) -> str:
    """Read a supported version from the output of `--version`, `FaceFusion 3.8.1` for example."""
    found = re.search(r"^FaceFusion (\S+)\s*$", output, re.MULTILINE)
    if found is None:
        raise InstallationUnusable(
            f"{PROGRAM} --version answered {output.strip()[:80]!r}, which names no version of "
            f"FaceFusion: check that {HOME_VARIABLE} is a FaceFusion checkout."
        )
    version = found[1]
    if version_of(version) is None:
        raise InstallationUnusable(refusal(version))
    return version


def stated_version(home: Path) -> str | None:
    """Read the version that a checkout states in its `metadata.py`; None where it states none.

    Nothing is started: what a command does depends on the version.
    """
    try:
        text = (home / "facefusion" / "metadata.py").read_text(errors="replace")
    except OSError:
        return None
    found = re.search(r"""["']version["']\s*:\s*["']([^"']+)["']""", text)
    return found[1] if found else None


def refused_version(home: Path) -> str | None:
    """Explain why the version that a checkout states is refused; None where it is not."""
    version = stated_version(home)
    return refusal(version) if version is not None and version_of(version) is None else None


def _python_inside(home: Path) -> Path:
    for name in _VENV_PYTHONS:
        python = home / name
        if python.is_file() and os.access(python, os.X_OK):
            return python
    raise InstallationUnusable(
        f"{PYTHON_VARIABLE} is not set, and {home} has no virtual environment: set it to the "
        "Python that has FaceFusion's requirements."
    )


def _asked_version(home: Path, python: Path, environment: Mapping[str, str], seconds: float) -> str:
    chosen = facefusion_environment(environment, downloads=False)
    try:
        ended = run_short_command([str(python), PROGRAM, "--version"], home, chosen, seconds)
    except TimeoutError as error:
        raise InstallationUnusable(
            f"{python} {PROGRAM} --version did not end within {seconds:g} s: run it by hand in "
            f"{home} and see what it waits for."
        ) from error
    except OSError as error:
        raise InstallationUnusable(
            f"{python} cannot be started ({error.strerror}): set {PYTHON_VARIABLE} to the Python "
            "that has FaceFusion's requirements."
        ) from error
    if ended.status != 0:
        raise InstallationUnusable(_refusal(home, python, ended))
    return ended.output


def _refusal(home: Path, python: Path, ended: Ended) -> str:
    lines = (ended.output + ended.errors).strip().splitlines()
    last = lines[-1][:200] if lines else "no message"
    return (
        f"{python} {PROGRAM} --version ended with status {ended.status} ({last}): install "
        f"FaceFusion's requirements into that Python, and run the command in {home} until it works."
    )
