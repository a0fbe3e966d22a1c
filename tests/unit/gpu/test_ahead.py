"""What goes before a run at its hosts, by the notes of all processes."""

import pytest

from storycanvas.gpu.guard.ahead import Ahead, ahead_of
from storycanvas.gpu.guard.presence import Note, RunInfo
from storycanvas.gpu.guard.settings import DEFAULTS

STEP = 4.0
QUANTUM = DEFAULTS.quantum + STEP


def run(name: str, *, since: float = 1.0, steps: int = 1, priority: int = 0) -> RunInfo:
    return RunInfo(run=name, run_id=name, priority=priority, since=since, steps=steps)


def note(*waiting: RunInfo, holding: RunInfo | None = None, limit: str = "gpu:a") -> Note:
    return Note(limit=limit, machine="m", process=1, lane=1, holding=holding, waiting=waiting)


OWN = run("own", since=10.0)


@pytest.mark.parametrize(
    ("notes", "runs", "seconds"),
    [
        ([], 0, 0.0),
        ([note(OWN)], 0, 0.0),
        ([note(holding=run("a"))], 1, STEP),
        ([note(holding=run("a", since=99.0))], 1, STEP),
        ([note(run("a", steps=2))], 1, 2 * STEP),
        ([note(run("a", steps=100))], 1, QUANTUM),
        ([note(run("a", since=11.0))], 0, 0.0),
        ([note(run("a", since=11.0, priority=1, steps=100))], 1, 100 * STEP),
        ([note(run("a", since=1.0, priority=-1))], 0, 0.0),
        ([note(run("a", since=99.0), holding=run("a"))], 1, 2 * STEP),
        ([note(run("a")), note(run("b"), OWN), note(holding=OWN)], 2, 2 * STEP),
    ],
)
def test_holders_and_those_that_come_first_are_counted(
    notes: list[Note], runs: int, seconds: float
) -> None:
    assert ahead_of(OWN, notes, step_seconds=STEP) == Ahead(runs, seconds)


def test_a_run_that_waits_at_two_hosts_counts_once_and_two_slots_are_twice_as_fast() -> None:
    notes = [note(run("a", steps=2)), note(run("a", steps=1), limit="gpu:b")]

    assert ahead_of(OWN, notes, step_seconds=STEP, slots=2) == Ahead(1, STEP)


def test_how_long_it_takes_is_not_known_without_the_time_of_a_step() -> None:
    assert ahead_of(OWN, [note(holding=run("a"))], step_seconds=None) == Ahead(1, None)
