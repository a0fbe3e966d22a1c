"""Two slots: two operations at one time, each with a FaceFusion process of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.facefusion.gated_checkout import is_gone, wait_until
from tests.support.facefusion.stand_in.checkout import operations
from tests.support.facefusion.supervised import Supervised, kill


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Supervised]:
    with Supervised(tmp_path, slots=2) as opened:
        yield opened


def most_at_once(home: Path) -> tuple[int, int]:
    """How many operations ran at one time, in all and in one process."""
    running: list[int] = []
    most, most_in_one = 0, 0
    for line in operations(home):
        if line["event"] == "begin":
            running.append(line["pid"])
            most, most_in_one = (
                max(most, len(running)),
                max(most_in_one, running.count(line["pid"])),
            )
        else:
            running.remove(line["pid"])
    return most, most_in_one


def test_two_operations_run_at_one_time_in_two_processes_and_never_two_in_one(
    engine: Supervised,
) -> None:
    engine.misbehave("gate", "gate")
    asked = [engine.run_meanwhile() for _ in range(6)]

    wait_until(lambda: len(engine.checkout.begun()) == 2)
    engine.checkout.open_gate()

    assert len({future.result().picture for future in asked}) == 1
    assert most_at_once(engine.checkout.home) == (2, 1)
    assert len(engine.checkout.begun()) == 6


def test_a_breakdown_on_one_slot_leaves_the_other_alone(engine: Supervised) -> None:
    engine.misbehave("gate", "kill")
    held = engine.run_meanwhile()
    process = engine.checkout.next_to_begin()

    disturbed = engine.run()

    assert not held.done()
    engine.checkout.open_gate()
    assert held.result().picture == disturbed.picture
    assert engine.checkout.begun().count(process) == 1


def test_a_slot_whose_process_was_killed_twice_is_not_lost(engine: Supervised) -> None:
    engine.misbehave("crash", "crash")
    assert engine.run_meanwhile().exception() is not None

    engine.misbehave("gate", "gate")
    asked = [engine.run_meanwhile() for _ in range(2)]
    wait_until(lambda: len(engine.checkout.begun()) == 4)
    engine.checkout.open_gate()

    assert len({future.result().picture for future in asked}) == 1


def test_processes_killed_while_idle_are_replaced_on_every_slot(engine: Supervised) -> None:
    engine.misbehave("gate", "gate")
    asked = [engine.run_meanwhile() for _ in range(2)]
    wait_until(lambda: len(engine.checkout.begun()) == 2)
    engine.checkout.open_gate()
    before = {future.result().picture for future in asked}

    for pid in engine.checkout.begun():
        kill(pid)
    after = {future.result().picture for future in [engine.run_meanwhile() for _ in range(4)]}

    assert after == before
    assert len(engine.checkout.begun()) == 6
    assert [is_gone(pid) for pid in engine.checkout.begun()[:2]] == [True, True]
