"""Which operations have the weights that they need?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from faces.operations import EnhanceOperation, SwapOperation
from host.doctor.finding import Finding, failed, ok, warning
from host.engines.facefusion.weights import (
    DETECTORS,
    MODELS,
    MODELS_OF_OPERATION,
    missing_files,
    present_models,
)

CHECK = "weights"
_NAMED = 4
_DEFAULTS = {
    EnhanceOperation.path: "gfpgan_1.4",
    SwapOperation.path: "inswapper_128",
}
"""What is used where a caller names no model, for operations that have several."""
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


def look_at_weights(home: Path, python: Path) -> WeightFacts:
    """Look for the files by name; FaceFusion itself checks what is in them."""
    return WeightFacts(
        f"in {home} run: {python} facefusion.py force-download",
        frozenset(present_models(home)),
        missing_files(home, []),
        {model: missing_files(home, [model]) for model in MODELS},
    )


def judge_weights(facts: WeightFacts, *, downloads: bool) -> tuple[Finding, ...]:
    """Judge what can be done with them, first for all operations, then for each.

    Args:
        facts: What was seen.
        downloads: Whether FaceFusion may load what is missing, during the operation that needs it.
    """
    if facts.missing_always:
        seen = f"missing for every operation: {_some(facts.missing_always)}"
        return ((warning if downloads else failed)(CHECK, seen, facts.download),)
    detectors = _judge_detectors(facts, downloads=downloads)
    return (detectors, *(_judge(path, facts) for path in MODELS_OF_OPERATION))


def _judge_detectors(facts: WeightFacts, *, downloads: bool) -> Finding:
    present = [model for model in DETECTORS if model in facts.present]
    if not present:
        seen = f"no face detector: {_some(facts.missing[_DEFAULT_DETECTOR])} missing"
        return (warning if downloads else failed)(CHECK, seen, facts.download)
    if _DEFAULT_DETECTOR not in present:
        seen = f"detectors {', '.join(present)}, but not {_DEFAULT_DETECTOR}, which is the default"
        return warning(CHECK, seen, facts.download)
    return ok(CHECK, f"detectors {', '.join(present)}")


def _judge(path: str, facts: WeightFacts) -> Finding:
    models = MODELS_OF_OPERATION[path]
    check = f"{CHECK} {path}"
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
    """Name the first files, and count the rest."""
    named = list(files)
    rest = len(named) - _NAMED
    return ", ".join(named[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
