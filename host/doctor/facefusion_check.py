"""Is there a FaceFusion that this host can drive, and what it needs from the system?"""

import shutil
from collections.abc import Mapping

from host.doctor.finding import Finding, failed, ok, warning
from host.engines.facefusion.installation import PROGRAMS, Installation

FACEFUSION = "facefusion"
PROGRAM_CHECK = "programs"
_LATEST_AGEING_LACKS = "3.5"


def look_at_programs(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Find the programs that FaceFusion starts; None for one that is not on `PATH`."""
    path = environment.get("PATH", "")
    return {name: shutil.which(name, path=path) for name in PROGRAMS}


def judge_programs(programs: Mapping[str, str | None]) -> Finding:
    """Judge whether FaceFusion finds them."""
    missing = [name for name, path in programs.items() if path is None]
    if missing:
        return failed(
            PROGRAM_CHECK,
            f"{', '.join(missing)} not found on PATH",
            f"install {' and '.join(missing)}, or add the folder to the service's PATH",
        )
    return ok(PROGRAM_CHECK, ", ".join(str(path) for path in programs.values()))


def judge_installation(found: Installation | str) -> Finding:
    """Judge the installation.

    Args:
        found: It, or the sentence that says why it cannot be used.
    """
    if isinstance(found, str):
        return failed(FACEFUSION, found)
    seen = f"FaceFusion {found.version} in {found.home}, run by {found.python}"
    if found.version.startswith(_LATEST_AGEING_LACKS):
        return warning(
            FACEFUSION, f"{seen}, has no ageing by years", "take 3.6 or newer for adjust-face"
        )
    return ok(FACEFUSION, seen)
