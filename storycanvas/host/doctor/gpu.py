"""Checks of what FaceFusion computes on: its ini file, a real session, the GPUs of the machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from storycanvas.host.doctor.findings import Finding, failed, ok, warning
from storycanvas.host.engines.facefusion.plan import probe_config
from storycanvas.host.engines.facefusion.process.devices import (
    VISIBLE_VARIABLE,
    Gpu,
    read_gpus,
    visible_gpus,
)
from storycanvas.host.engines.facefusion.process.installation import InstallationUnusable
from storycanvas.host.engines.facefusion.process.probing import ProbeAnswer, probe_sessions
from storycanvas.host.engines.facefusion.translation.execution import INI, PROVIDERS_KEY
from storycanvas.host.engines.facefusion.translation.providers import CPU, on_cpu_alone

GPU = "gpu"
GPUS = "gpus"
_INSTALL = (
    "install the onnxruntime of this GPU into FaceFusion's Python; its install.py does: "
    "python install.py --help"
)
_LIBRARIES = (
    "install the CUDA and cuDNN that this onnxruntime-gpu was built for: FaceFusion's own way is a "
    "Conda environment, whose folder CONDA_PREFIX in the host's environment file names"
)


_COMPILING = {"tensorrt", "migraphx"}
"""FaceFusion's names of the providers that compile a model for the GPU, for minutes."""


@dataclass(frozen=True)
class GpuFacts:
    """What FaceFusion computes on.

    Attributes:
        probed: What a session of one node has.
        asked: What its `facefusion.ini` asks for; empty leaves the choice to FaceFusion.
        required: Whether the host is started with `--require-gpu`.
        trouble: Why none of this is known; empty if it is.
        keeps_compiled: Whether FaceFusion may write its `.caches`.
    """

    probed: ProbeAnswer = field(default_factory=ProbeAnswer)
    asked: tuple[str, ...] = ()
    required: bool = False
    trouble: str = ""
    keeps_compiled: bool = True


def collect_gpu(
    home: Path, python: Path, environment: Mapping[str, str], *, required: bool = False
) -> GpuFacts:
    """Read the ini file of a checkout, and make a session in FaceFusion's Python."""
    try:
        config = probe_config(home)
    except InstallationUnusable as error:
        return GpuFacts(required=required, trouble=str(error))
    probed = probe_sessions(python, home, environment, config)
    caches = home / ".caches"
    keeps = os.access(caches if caches.exists() else home, os.W_OK | os.X_OK)
    return GpuFacts(probed, config.asked, required, keeps_compiled=keeps)


def evaluate_gpu(facts: GpuFacts) -> Finding:
    """Check whether a session has the GPU."""
    probed = facts.probed
    if facts.trouble:
        return failed(GPU, facts.trouble, "correct FaceFusion's facefusion.ini")
    offered = f"onnxruntime offers {', '.join(probed.offered) or 'nothing'}"
    refused = [name for name in facts.asked if name not in probed.offered]
    if refused and probed.offered:
        seen = f"{INI} asks for {', '.join(refused)}, but {offered}"
        return failed(GPU, seen, f"{_INSTALL}; or correct {PROVIDERS_KEY}")
    if not probed.session:
        return failed(GPU, probed.trouble or offered, _INSTALL)
    if on_cpu_alone(probed.used):
        return _evaluate_cpu(facts, offered)
    return _evaluate_session(facts, offered)


def _evaluate_session(facts: GpuFacts, offered: str) -> Finding:
    """Tell which GPU provider a session has, and what it lacks there."""
    probed = facts.probed
    used = f"a session has {', '.join(probed.session)}"
    if probed.used[0] != probed.asked[0]:
        seen = f"{used}, not {probed.asked[0]}{_reason(probed)}"
        return warning(GPU, seen, _LIBRARIES)
    if probed.session[0] in _COMPILING and not facts.keeps_compiled:
        seen = f"{used}; what it compiles for minutes is lost at each stop: .caches is closed"
        return warning(GPU, seen, "let the host's user write to .caches in FaceFusion's folder")
    return ok(GPU, f"{used}; {offered}")


def _evaluate_cpu(facts: GpuFacts, offered: str) -> Finding:
    """Explain why a session has the CPU alone, which takes many times longer."""
    probed = facts.probed
    judge = failed if facts.required else warning
    if set(probed.offered) == {CPU}:
        return judge(GPU, f"{offered}: an operation takes many times longer", _INSTALL)
    if facts.asked == (CPU,):
        fix = f"write {PROVIDERS_KEY} = {probed.offered[0]}, or leave it empty"
        return judge(GPU, f"{INI} asks for the cpu alone, but {offered}", fix)
    seen = f"a session that asks for {probed.asked[0]} has the cpu alone{_reason(probed)}"
    return failed(GPU, seen, _LIBRARIES)


def _reason(probed: ProbeAnswer) -> str:
    return f": {probed.trouble}" if probed.trouble else ""


@dataclass(frozen=True)
class GpusFacts:
    """The GPUs that `nvidia-smi` lists, and those that FaceFusion may see."""

    all: tuple[Gpu, ...]
    visible: tuple[Gpu, ...]
    chosen: str | None


def collect_gpus(environment: Mapping[str, str]) -> GpusFacts:
    """Ask for the GPUs of this machine."""
    gpus = read_gpus(environment)
    chosen = environment.get(VISIBLE_VARIABLE)
    return GpusFacts(gpus, visible_gpus(gpus, chosen), chosen)


def evaluate_gpus(facts: GpusFacts) -> Finding:
    """Check whether the host is told which of several GPUs is its own."""
    if not facts.all:
        return ok(GPUS, "nvidia-smi lists none")
    listed = ", ".join(f"{gpu.index} {gpu.name}" for gpu in facts.all)
    if facts.chosen is not None and not facts.visible:
        seen = f"{VISIBLE_VARIABLE} is {facts.chosen or 'empty'}, which names none of {listed}"
        return failed(GPUS, seen, f"name one of them, for example {VISIBLE_VARIABLE}=0")
    if len(facts.visible) > 1:
        seen = f"{listed}: FaceFusion uses {facts.visible[0].name} alone"
        fix = "start one host a GPU: docs/gpu-host.md, several GPUs"
        return warning(GPUS, seen, fix)
    return ok(GPUS, f"{listed}; FaceFusion sees {facts.visible[0].index}")
