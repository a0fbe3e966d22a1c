"""What goes before a run at the hosts that it may use, from the presence notes of all processes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storycanvas.gpu.guard.presence import Note, RunInfo
from storycanvas.gpu.guard.settings import DEFAULTS, GuardSettings


@dataclass(frozen=True)
class Ahead:
    """What goes before a run.

    Attributes:
        runs: Other runs that hold a slot, or get one first.
        seconds: How long that takes; None where it is not known how long an operation takes.
    """

    runs: int
    seconds: float | None


def ahead_of(
    own: RunInfo,
    notes: Iterable[Note],
    *,
    step_seconds: float | None,
    slots: int = 1,
    settings: GuardSettings = DEFAULTS,
) -> Ahead:
    """Find what goes before a run.

    A run of the same priority gives its slot up after a quantum and the operation that it is at
    then, whatever it still has to do; one of a higher priority goes first with all that is ready.

    Args:
        own: The run, with its priority and since when it waits.
        notes: Those of the hosts' limits; a run that waits at several hosts counts once.
        step_seconds: What an operation takes; None where that is not known.
        slots: How many slots the hosts have.
        settings: Set the quantum.
    """
    runs = _others_before(own, notes)
    if step_seconds is None:
        return Ahead(len(runs), None)
    quantum = settings.quantum + step_seconds
    work = 0.0
    for run in runs:
        whole = run.steps * step_seconds
        work += whole if run.priority > own.priority else min(whole, quantum)
    return Ahead(len(runs), work / max(slots, 1))


def _others_before(own: RunInfo, notes: Iterable[Note]) -> Sequence[RunInfo]:
    """List other runs that hold a slot or come first, each with its operations."""
    holding: dict[str, RunInfo] = {}
    waiting: dict[str, RunInfo] = {}
    for note in notes:
        if note.holding is not None:
            holding[_name(note.holding)] = note.holding
        for run in note.waiting:
            known = waiting.get(_name(run))
            if known is None or run.steps > known.steps:
                waiting[_name(run)] = run
    before = dict(holding)
    for name, run in waiting.items():
        held = holding.get(name)
        if held is not None:
            before[name] = run.model_copy(update={"steps": run.steps + 1})
        elif (-run.priority, run.since) < (-own.priority, own.since):
            before[name] = run
    before.pop(_name(own), None)
    return [*before.values()]


def _name(run: RunInfo) -> str:
    return run.run_id or run.run
