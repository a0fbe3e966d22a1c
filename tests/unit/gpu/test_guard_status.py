"""What processes and operators read of a guard, and when a slot may be freed."""

import pytest

from storycanvas.faces.contract import HostStatus
from storycanvas.gpu.guard.fairness import Claim
from storycanvas.gpu.guard.presence import Note, RunInfo, by_run, claims_beyond, described
from storycanvas.gpu.guard.status import GuardState, ResetRefused, check_reset, state_lines

IDLE = HostStatus(engine="preview", engine_version="1", gpu_slots=1, busy=0, queued=0, operations=7)
BUSY = IDLE.model_copy(update={"busy": 1, "queued": 2})
HOLDER = Note(
    limit="gpu:box:9002",
    machine="render",
    process=41,
    lane=1,
    holding=RunInfo(run="ages of Mira", run_id="abc", priority=3, since=1_000_000.0),
    waiting=(RunInfo(run="ages of Tom", since=1_000_060.0, steps=3),),
)


def state(taken: int = 1, slots: int | None = 1, **more: object) -> GuardState:
    fields = {"active": True, "notes": (), **more}
    return GuardState("gpu:box:9002", slots, taken, **fields)


def test_a_slot_without_a_living_holder_may_be_freed_on_an_idle_host() -> None:
    check_reset(state(), IDLE)


REFUSALS = {
    "a living run holds it": (state(notes=(HOLDER,)), IDLE, "held by ages of Mira"),
    "the host works": (state(), BUSY, "runs 1 and queues 2"),
    "the host does not answer": (state(), None, "does not answer"),
    "there is no limit": (state(slots=None), IDLE, "no limit"),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_a_slot_is_left_where_something_may_run(
    case: tuple[GuardState, HostStatus | None, str],
) -> None:
    guard, status, sentence = case
    with pytest.raises(ResetRefused, match=sentence):
        check_reset(guard, status)


def test_holder_and_waiting_runs_are_shown_with_their_links_and_times() -> None:
    assert state_lines(state(notes=(HOLDER,)), IDLE, "http://ui:4200/") == [
        "gpu:box:9002: 1 of 1 slots taken, host ok, 0 running, 0 queued",
        (
            "  held by ages of Mira http://ui:4200/runs/flow-run/abc (priority 3) "
            "since 1970-01-12 13:46:40 UTC, process 41 on render"
        ),
        (
            "  waiting: 3 steps of ages of Tom (priority 0) since 1970-01-12 13:47:40 UTC, "
            "process 41 on render"
        ),
    ]


SLOTS = {
    "leaked": (state(), "1 of 1 slots taken, 1 counted without a living holder"),
    "switched off": (state(taken=0, active=False), "SWITCHED OFF"),
    "missing": (state(slots=None), "storycanvas register --limits-only"),
}


@pytest.mark.parametrize("case", SLOTS.values(), ids=SLOTS)
def test_what_is_wrong_with_a_limit_is_shown(case: tuple[GuardState, str]) -> None:
    guard, words = case
    assert words in state_lines(guard, None, None)[0]


MIRA = RunInfo(run="ages of Mira", run_id="abc", since=1_000_000.0)


def note(process: int, **fields: object) -> Note:
    blank = Note(limit="gpu:box:9002", machine="render", process=process, lane=1)
    return blank.model_copy(update=fields)


def test_only_claims_from_outside_of_the_peer_group_are_taken_from_notes() -> None:
    notes = [
        note(1, peer_group_id="here", claim=Claim(0, 1.0)),
        note(2, peer_group_id="there", claim=Claim(0, 2.0)),
        note(3, peer_group_id="there"),
        note(4, peer_group_id="elsewhere", claim=Claim(5, 3.0)),
    ]

    assert claims_beyond("here", notes) == [Claim(0, 2.0), Claim(5, 3.0)]


def test_the_waiting_steps_of_a_run_are_one_entry_with_its_longest_wait() -> None:
    later, urgent = MIRA.model_copy(update={"since": 1_000_007.0}), 5
    other = MIRA.model_copy(update={"priority": urgent})

    assert by_run([later, other, MIRA, later]) == [MIRA.model_copy(update={"steps": 3}), other]


def test_every_holder_is_named_with_its_process_and_time() -> None:
    notes = [note(41, holding=MIRA), note(42, waiting=(MIRA,))]

    assert described(notes) == (
        "held by ages of Mira (process 41 on render) since 1970-01-12T13:46:40+00:00"
    )


def test_without_any_holder_the_reset_command_is_named() -> None:
    assert described([note(42)]).startswith("no living process holds it")
