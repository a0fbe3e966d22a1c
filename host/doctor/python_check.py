"""Is this Python the right one, and does it have what the host needs?"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from host.doctor.finding import Finding, failed, ok, warning

CHECK = "python"
PACKAGES = (
    "fastapi",
    "httpx",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "psutil",
    "pydantic",
    "python-multipart",
    "uvicorn",
)
"""Distributions of the project's requirements and of its extra `host`."""
NEEDED = (3, 11)
_INSTALL = "pip install --require-hashes -r requirements/host.txt"


@dataclass(frozen=True)
class PythonFacts:
    """The interpreter that runs the host.

    Attributes:
        version: Major and minor number.
        executable: Where it is.
        packages: Version by distribution; None if it is not installed.
        is_facefusions: Whether it lies in the environment of FaceFusion.
    """

    version: tuple[int, int]
    executable: str
    packages: Mapping[str, str | None]
    is_facefusions: bool


def look_at_python(facefusion_python: Path | None) -> PythonFacts:
    """Look at the interpreter that runs this.

    Args:
        facefusion_python: The interpreter of FaceFusion, if it is known.
    """
    return PythonFacts(
        sys.version_info[:2],
        sys.executable,
        {name: _installed(name) for name in PACKAGES},
        facefusion_python is not None and facefusion_python.parent.parent == Path(sys.prefix),
    )


def judge_python(facts: PythonFacts) -> Finding:
    """Judge whether the host can run in it."""
    name = f"Python {'.'.join(map(str, facts.version))} at {facts.executable}"
    missing = [package for package, found in facts.packages.items() if found is None]
    if facts.version != NEEDED:
        wanted = ".".join(map(str, NEEDED))
        return failed(CHECK, name, f"make a virtual environment with Python {wanted}")
    if missing:
        return failed(CHECK, f"{name} lacks {', '.join(missing)}", _INSTALL)
    if facts.is_facefusions:
        return warning(
            CHECK,
            f"{name} is FaceFusion's own",
            "give the host a virtual environment of its own, so that neither changes the other",
        )
    return ok(CHECK, f"{name}, {len(facts.packages)} packages")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
