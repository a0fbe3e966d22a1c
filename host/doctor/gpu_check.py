"""Does FaceFusion compute on the GPU?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from host.doctor.finding import Finding, failed, ok, warning
from host.engines.facefusion.execution_options import (
    INI,
    PROVIDERS,
    PROVIDERS_KEY,
    execution_values,
)
from host.engines.facefusion.installation import Installation, InstallationUnusable
from host.engines.facefusion.process_environment import facefusion_environment
from host.engines.facefusion.short_commands import run_short_command

CHECK = "gpu"
ASK_SECONDS = 60.0
"""Loading onnxruntime with its GPU libraries for the first time may take many seconds."""

_QUESTION = "import json, onnxruntime; print(json.dumps(onnxruntime.get_available_providers()))"
_INSTALL = (
    "install the onnxruntime of this GPU into FaceFusion's Python; its install.py does: "
    "python install.py --help"
)


@dataclass(frozen=True)
class GpuFacts:
    """What FaceFusion computes on.

    Attributes:
        offered: What its onnxruntime offers, by FaceFusion's names in FaceFusion's order.
        asked: What its `facefusion.ini` asks for; empty leaves the choice to FaceFusion.
        trouble: Why one of these is not known; empty if both are.
    """

    offered: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    trouble: str = ""


def look_at_gpu(installation: Installation, environment: Mapping[str, str]) -> GpuFacts:
    """Ask the onnxruntime in FaceFusion's Python, and read FaceFusion's ini file."""
    command = [str(installation.python), "-c", _QUESTION]
    chosen = facefusion_environment(environment, downloads=False)
    try:
        asked = execution_values(installation).get(PROVIDERS_KEY, ())
        ended = run_short_command(command, installation.home, chosen, ASK_SECONDS)
    except (InstallationUnusable, OSError) as error:  # a time out is an OSError, too
        return GpuFacts(trouble=str(error))
    if ended.status != 0:
        last = (ended.errors.strip().splitlines() or ["no message"])[-1]
        return GpuFacts(trouble=f"onnxruntime cannot be loaded ({last})")
    return GpuFacts(providers_said(ended.output), asked)


def providers_said(output: str) -> tuple[str, ...]:
    """Translate onnxruntime's list of providers, the last line of the output.

    Returns:
        FaceFusion's names in its own order; what FaceFusion cannot use is left out.
    """
    lines = output.strip().splitlines()
    try:
        said = json.loads(lines[-1]) if lines else []
    except ValueError:
        said = []
    return tuple(name for name, provider in PROVIDERS.items() if provider in said)


def judge_gpu(facts: GpuFacts) -> Finding:
    """Judge whether the GPU is used; whether its driver works shows the first operation."""
    if facts.trouble:
        return failed(CHECK, facts.trouble, "repair FaceFusion's Python and its facefusion.ini")
    offered = f"onnxruntime offers {', '.join(facts.offered) or 'nothing'}"
    refused = [name for name in facts.asked if name not in facts.offered]
    if refused:
        seen = f"{INI} asks for {', '.join(refused)}, but {offered}"
        return failed(CHECK, seen, f"{_INSTALL}; or correct {PROVIDERS_KEY}")
    if not facts.offered:
        return failed(CHECK, offered, _INSTALL)
    if set(facts.offered) == {"cpu"}:
        return warning(CHECK, f"{offered}: an operation takes many times longer", _INSTALL)
    used = facts.asked or facts.offered[:1]
    if used == ("cpu",):
        fix = f"write {PROVIDERS_KEY} = {facts.offered[0]}, or leave it empty"
        return warning(CHECK, f"{INI} asks for the cpu alone, but {offered}", fix)
    return ok(CHECK, f"{', '.join(used)} is used; {offered}")
