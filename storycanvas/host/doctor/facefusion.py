"""Checks of FaceFusion, its worker and weights."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from storycanvas.host.doctor.fetching import default_model, default_weights, fetch_command
from storycanvas.host.doctor.findings import Finding, failed, ok, warning
from storycanvas.host.engines.facefusion.drivers.driver import HELLO_SECONDS
from storycanvas.host.engines.facefusion.drivers.worker_process import (
    WORKER,
    WorkerHello,
    read_message,
)
from storycanvas.host.engines.facefusion.process.checksums import CheckedWeights, Faults, some
from storycanvas.host.engines.facefusion.process.commands import run_short_command
from storycanvas.host.engines.facefusion.process.environment import facefusion_environment
from storycanvas.host.engines.facefusion.process.errors import AnswerUnreadable
from storycanvas.host.engines.facefusion.process.installation import (
    PROGRAMS,
    Installation,
    stated_version,
)
from storycanvas.host.engines.facefusion.process.weights import (
    DEFAULT_DETECTOR,
    DETECTORS,
    MODELS,
    MODELS_OF_OPERATION,
)
from storycanvas.host.engines.facefusion.translation.operation import models_of
from storycanvas.host.engines.preloading import PRELOADS

WEIGHTS = "weights"
PRELOAD = "preload"
_DAMAGED = " (damaged)"


@dataclass(frozen=True)
class WeightFacts:
    """The weights of a FaceFusion.

    Attributes:
        download: The command that loads what the six operations need, and what is damaged.
        present: Models that can be used.
        missing_always: Files that every operation needs and that are not there.
        missing: The files that a model lacks, by model; damaged ones are marked as such.
        damaged: Files that differ from their checksum, whatever model they belong to.
    """

    download: str
    present: frozenset[str]
    missing_always: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]
    damaged: tuple[str, ...] = ()


def collect_weights(home: Path, python: Path, preload: Sequence[str] = ()) -> WeightFacts:
    """Look for the files, and compare each with its checksum, a second for each GiB or two.

    What `--preload` names is in the command for downloads, too.
    """
    also = [model for name in preload for model in models_of(PRELOADS[name])]
    weights = CheckedWeights(home, stated_version(home))
    lacking = {model: _unusable(weights.faults([model])) for model in MODELS}
    present = frozenset(model for model in MODELS if not lacking[model])
    always = _unusable(weights.faults([]))
    damaged = {name for files in lacking.values() for name in files if name.endswith(_DAMAGED)}
    names = [
        *default_weights(home, also),
        *(name.removesuffix(f".onnx{_DAMAGED}") for name in damaged),
    ]
    command = fetch_command(home, python, names)
    return WeightFacts(command, present, always, lacking, tuple(sorted(damaged)))


def _unusable(faults: Faults) -> tuple[str, ...]:
    return (*faults.missing, *(f"{name}{_DAMAGED}" for name in faults.damaged))


def evaluate_weights(facts: WeightFacts, *, downloads: bool) -> tuple[Finding, ...]:
    """Check the weights, first for all operations, then for each.

    With `downloads` FaceFusion may load what is missing, during the operation that needs it.
    """
    return tuple(_evaluate_weights(facts, downloads=downloads))


def _evaluate_weights(facts: WeightFacts, *, downloads: bool) -> Iterator[Finding]:
    if facts.damaged:
        seen = f"{some(facts.damaged)}: FaceFusion would delete what differs from its .hash"
        yield (warning if downloads else failed)(f"{WEIGHTS} content", seen, facts.download)
    if facts.missing_always:
        seen = f"missing for every operation: {some(facts.missing_always)}"
        yield (warning if downloads else failed)(WEIGHTS, seen, facts.download)
        return
    yield _evaluate_detectors(facts, downloads=downloads)
    yield from (_evaluate_operation(path, facts) for path in MODELS_OF_OPERATION)


def evaluate_preload(names: Sequence[str], facts: WeightFacts) -> tuple[Finding, ...]:
    """Check whether what `--preload` names can be loaded; the host serves the rest if not."""
    lacking = [
        f"{name} lacks {some(files)}"
        for name in names
        for model in models_of(PRELOADS[name])
        if (files := facts.missing.get(model))
    ]
    if lacking:
        return (warning(PRELOAD, "; ".join(lacking), facts.download),)
    return (ok(PRELOAD, ", ".join(names)),) if names else ()


def _evaluate_detectors(facts: WeightFacts, *, downloads: bool) -> Finding:
    present = [model for model in DETECTORS if model in facts.present]
    if not present:
        seen = f"no face detector: {some(facts.missing[DEFAULT_DETECTOR])} missing"
        return (warning if downloads else failed)(WEIGHTS, seen, facts.download)
    if DEFAULT_DETECTOR not in present:
        seen = f"detectors {', '.join(present)}, but not {DEFAULT_DETECTOR}, which is the default"
        return warning(WEIGHTS, seen, facts.download)
    return ok(WEIGHTS, f"detectors {', '.join(present)}")


def _evaluate_operation(path: str, facts: WeightFacts) -> Finding:
    models = MODELS_OF_OPERATION[path]
    check = f"{WEIGHTS} {path}"
    present = [model for model in models if model in facts.present]
    if not models:
        return ok(check, "needs a detector alone")
    default = default_model(path) or models[0]
    if not present:
        seen = f"{some(facts.missing[default])} missing"
        return warning(check, seen, facts.download)
    if default not in present:
        seen = f"{', '.join(present)}, but not {default}, which is the default"
        return warning(check, seen, facts.download)
    return ok(check, f"{len(present)} of {len(models)} models: {', '.join(present)}")


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
