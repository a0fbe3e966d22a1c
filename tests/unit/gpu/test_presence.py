"""What processes read from each other's presence notes."""

from storycanvas.gpu.guard.fairness import Claim
from storycanvas.gpu.guard.presence import Note, RunInfo, by_run, claims_beyond, described

MIRA = RunInfo(run="ages of Mira", run_id="abc", since=1_000_000.0)


def note(process: int, **told: object) -> Note:
    blank = Note(limit="gpu:box:9002", machine="render", process=process, lane=1)
    return blank.model_copy(update=told)


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
