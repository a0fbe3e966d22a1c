"""Checks of FaceFusion, its worker, weights and GPU."""

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from storycanvas.faces.operations import EnhanceOperation, SwapOperation
from storycanvas.host.doctor.findings import Finding, failed, ok, warning
from storycanvas.host.engines.facefusion.drivers.driver import HELLO_SECONDS
from storycanvas.host.engines.facefusion.drivers.worker_process import (
    WORKER,
    WorkerHello,
    read_message,
)
from storycanvas.host.engines.facefusion.process.commands import run_short_command
from storycanvas.host.engines.facefusion.process.environment import facefusion_environment
from storycanvas.host.engines.facefusion.process.errors import AnswerUnreadable
from storycanvas.host.engines.facefusion.process.installation import (
    PROGRAMS,
    Installation,
    InstallationUnusable,
)
from storycanvas.host.engines.facefusion.process.weights import (
    DETECTORS,
    MODELS,
    MODELS_OF_OPERATION,
    missing_files,
    present_models,
)
from storycanvas.host.engines.facefusion.translation.execution import (
    INI,
    PROVIDERS,
    PROVIDERS_KEY,
    execution_values,
)

GPU = "gpu"
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


def collect_gpu(installation: Installation, environment: Mapping[str, str]) -> GpuFacts:
    """Ask the onnxruntime in FaceFusion's Python, and read FaceFusion's ini file."""
    command = [str(installation.python), "-c", _QUESTION]
    chosen = facefusion_environment(environment, downloads=False)
    try:
        asked = execution_values(installation).get(PROVIDERS_KEY, ())
        ended = run_short_command(command, installation.home, chosen, ASK_SECONDS)
    except (InstallationUnusable, OSError) as error:  # TimeoutError is an OSError
        return GpuFacts(trouble=str(error))
    if ended.status != 0:
        last = (ended.errors.strip().splitlines() or ["no message"])[-1]
        return GpuFacts(trouble=f"onnxruntime cannot be loaded ({last})")
    return GpuFacts(read_providers(ended.output), asked)


def read_providers(output: str) -> tuple[str, ...]:
    """Translate the last line of onnxruntime's output to FaceFusion's names, in its order."""
    lines = output.strip().splitlines()
    try:
        listed = json.loads(lines[-1]) if lines else []
    except ValueError:
        listed = []
    return tuple(name for name, provider in PROVIDERS.items() if provider in listed)


def evaluate_gpu(facts: GpuFacts) -> Finding:
    """Check whether the GPU is used; only an operation shows whether its driver works."""
    if facts.trouble:
        return failed(GPU, facts.trouble, "repair FaceFusion's Python and its facefusion.ini")
    offered = f"onnxruntime offers {', '.join(facts.offered) or 'nothing'}"
    refused = [name for name in facts.asked if name not in facts.offered]
    if refused:
        seen = f"{INI} asks for {', '.join(refused)}, but {offered}"
        return failed(GPU, seen, f"{_INSTALL}; or correct {PROVIDERS_KEY}")
    if not facts.offered:
        return failed(GPU, offered, _INSTALL)
    if set(facts.offered) == {"cpu"}:
        return warning(GPU, f"{offered}: an operation takes many times longer", _INSTALL)
    used = facts.asked or facts.offered[:1]
    if used == ("cpu",):
        fix = f"write {PROVIDERS_KEY} = {facts.offered[0]}, or leave it empty"
        return warning(GPU, f"{INI} asks for the cpu alone, but {offered}", fix)
    return ok(GPU, f"{', '.join(used)} is used; {offered}")


WEIGHTS = "weights"
_NAMED = 4
_DEFAULTS = {
    EnhanceOperation.path: "gfpgan_1.4",
    SwapOperation.path: "inswapper_128",
}
"""The model that an operation with several uses where the caller names none."""
_DEFAULT_DETECTOR = "yolo_face"


@dataclass(frozen=True)
class WeightFacts:
    """The weights of a FaceFusion.

    Attributes:
        download: The command that loads all of them.
        present: Models that can be used.
        missing_always: Files that every operation needs and that are not there.
        missing: The files that a model lacks, by model.
    """

    download: str
    present: frozenset[str]
    missing_always: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]


def collect_weights(home: Path, python: Path) -> WeightFacts:
    """Look for the files by name; FaceFusion itself checks their content."""
    return WeightFacts(
        f"in {home} run: {python} facefusion.py force-download",
        frozenset(present_models(home)),
        missing_files(home, []),
        {model: missing_files(home, [model]) for model in MODELS},
    )


def evaluate_weights(facts: WeightFacts, *, downloads: bool) -> tuple[Finding, ...]:
    """Check the weights, first for all operations, then for each.

    With `downloads` FaceFusion may load what is missing, during the operation that needs it.
    """
    if facts.missing_always:
        seen = f"missing for every operation: {_some(facts.missing_always)}"
        return ((warning if downloads else failed)(WEIGHTS, seen, facts.download),)
    detectors = _evaluate_detectors(facts, downloads=downloads)
    return (detectors, *(_evaluate_operation(path, facts) for path in MODELS_OF_OPERATION))


def _evaluate_detectors(facts: WeightFacts, *, downloads: bool) -> Finding:
    present = [model for model in DETECTORS if model in facts.present]
    if not present:
        seen = f"no face detector: {_some(facts.missing[_DEFAULT_DETECTOR])} missing"
        return (warning if downloads else failed)(WEIGHTS, seen, facts.download)
    if _DEFAULT_DETECTOR not in present:
        seen = f"detectors {', '.join(present)}, but not {_DEFAULT_DETECTOR}, which is the default"
        return warning(WEIGHTS, seen, facts.download)
    return ok(WEIGHTS, f"detectors {', '.join(present)}")


def _evaluate_operation(path: str, facts: WeightFacts) -> Finding:
    models = MODELS_OF_OPERATION[path]
    check = f"{WEIGHTS} {path}"
    present = [model for model in models if model in facts.present]
    if not models:
        return ok(check, "needs a detector alone")
    default = _DEFAULTS.get(path, models[0])
    if not present:
        seen = f"{_some(facts.missing[default])} missing"
        return warning(check, seen, facts.download)
    if default not in present:
        seen = f"{', '.join(present)}, but not {default}, which is the default"
        return warning(check, seen, facts.download)
    return ok(check, f"{len(present)} of {len(models)} models: {', '.join(present)}")


def _some(files: Iterable[str]) -> str:
    """List the first files, and count the rest."""
    named = list(files)
    rest = len(named) - _NAMED
    return ", ".join(named[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


FACEFUSION = "facefusion"
WORKER_CHECK = "worker"
PROGRAM_CHECK = "programs"
_LATEST_AGEING_LACKS = "3.5"


def collect_programs(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Find the programs that FaceFusion starts; None for one that is not on `PATH`."""
    path = environment.get("PATH", "")
    return {name: shutil.which(name, path=path) for name in PROGRAMS}


def evaluate_programs(programs: Mapping[str, str | None]) -> Finding:
    """Check whether FaceFusion finds them."""
    missing = [name for name, path in programs.items() if path is None]
    if missing:
        fix = f"install {' and '.join(missing)}, or add the folder to the service's PATH"
        return failed(PROGRAM_CHECK, f"{', '.join(missing)} not found on PATH", fix)
    return ok(PROGRAM_CHECK, ", ".join(str(path) for path in programs.values()))


def collect_fit(installation: Installation, environment: Mapping[str, str]) -> str:
    """Start the host's worker in this FaceFusion and end it; return why it does not fit, or ""."""
    command = [str(installation.python), str(WORKER)]
    chosen = facefusion_environment(environment, downloads=False)
    try:
        # Without input the worker ends after its greeting.
        ended = run_short_command(command, installation.home, chosen, HELLO_SECONDS)
        return read_message(WorkerHello, ended.output).unfit or ""
    except AnswerUnreadable:
        return (ended.errors.strip().splitlines() or [f"exit status {ended.status}"])[-1]
    except OSError as error:
        return str(error)


def evaluate_fit(unfit: str) -> Finding:
    """Check whether the host can drive this FaceFusion."""
    if unfit:
        fix = "check out an unmodified release of 3.5 to 3.8, and install its requirements"
        return failed(WORKER_CHECK, f"the host cannot drive this FaceFusion: {unfit}", fix)
    return ok(WORKER_CHECK, "finds all that it calls in FaceFusion")


def evaluate_installation(found: Installation | str) -> Finding:
    """Check the installation, or the sentence why it cannot be used."""
    if isinstance(found, str):
        return failed(FACEFUSION, found)
    seen = f"FaceFusion {found.version} in {found.home}, run by {found.python}"
    if found.version.startswith(_LATEST_AGEING_LACKS):
        fix = "take 3.6 or newer for adjust-face"
        return warning(FACEFUSION, f"{seen}, has no ageing by years", fix)
    return ok(FACEFUSION, seen)
