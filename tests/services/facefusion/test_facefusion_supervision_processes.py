"""Processes of FaceFusion: for each operation, for each slot, and of a host that was killed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from storycanvas.faces.errors import EngineFailed, HostNotReady, OperationTimedOut
from storycanvas.host.engines.facefusion.drivers.driver import ISOLATED
from storycanvas.host.engines.facefusion.process import child
from storycanvas.host.engines.facefusion.process.child import Child, ProcessConfig, end_leftovers
from tests.support.facefusion.gated_checkout import is_gone
from tests.support.facefusion.stand_in.checkout import operations
from tests.support.facefusion.supervised import OpenEngine, Supervised, kill
from tests.support.host.started_host import wait_until


@pytest.fixture
def isolated(open_engine: OpenEngine) -> Supervised:
    return open_engine(renewal=ISOLATED)


@pytest.fixture
def two_slots(open_engine: OpenEngine) -> Supervised:
    return open_engine(slots=2)


def test_every_operation_gets_a_process_that_ends_with_it(isolated: Supervised) -> None:
    results = []
    for _ in range(2):
        results.append(isolated.run().picture)
        assert isolated.processes() == []

    assert isolated.engine.mode == "isolated"
    assert results[0] == results[1]
    assert len(set(isolated.checkout.begun())) == 2
    assert all(is_gone(pid) for pid in isolated.checkout.begun())


def test_a_killed_isolated_process_costs_one_run_more(isolated: Supervised) -> None:
    isolated.misbehave("gate")
    running = isolated.run_meanwhile()

    kill(isolated.checkout.next_to_begin())

    assert running.result().picture is not None
    assert isolated.checkout.begun()[1:] == isolated.checkout.ended()


def test_isolated_processes_that_end_twice_by_themselves_are_an_error(isolated: Supervised) -> None:
    isolated.misbehave("kill", "kill")

    with pytest.raises(EngineFailed, match=r"code -9, twice\."):
        isolated.run()

    assert isolated.processes() == []


def test_an_isolated_process_that_hangs_is_killed(open_engine: OpenEngine) -> None:
    engine = open_engine(renewal=ISOLATED, try_seconds=2.0)
    engine.misbehave("hang", "hang")

    with pytest.raises(OperationTimedOut):
        engine.run()

    assert engine.processes() == []
    assert all(is_gone(pid) for pid in engine.checkout.begun())


def test_an_isolated_operation_is_done_with_less_memory(isolated: Supervised) -> None:
    isolated.misbehave("out of memory")

    result = isolated.run()

    assert "video_memory_strategy tolerant -> strict" in result.reduced
    assert result.picture == isolated.run().picture


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
    two_slots: Supervised,
) -> None:
    two_slots.misbehave("gate", "gate")
    asked = [two_slots.run_meanwhile() for _ in range(6)]

    wait_until(lambda: len(two_slots.checkout.begun()) == 2)
    two_slots.checkout.open_gate()

    assert len({future.result().picture for future in asked}) == 1
    assert most_at_once(two_slots.checkout.home) == (2, 1)
    assert len(two_slots.checkout.begun()) == 6


def test_a_breakdown_on_one_slot_leaves_the_other_alone(two_slots: Supervised) -> None:
    two_slots.misbehave("gate", "kill")
    held = two_slots.run_meanwhile()
    process = two_slots.checkout.next_to_begin()

    disturbed = two_slots.run()

    assert not held.done()
    two_slots.checkout.open_gate()
    assert held.result().picture == disturbed.picture
    assert two_slots.checkout.begun().count(process) == 1


def test_a_slot_whose_process_was_killed_twice_is_not_lost(two_slots: Supervised) -> None:
    two_slots.misbehave("crash", "crash")
    assert two_slots.run_meanwhile().exception() is not None

    two_slots.misbehave("gate", "gate")
    asked = [two_slots.run_meanwhile() for _ in range(2)]
    wait_until(lambda: len(two_slots.checkout.begun()) == 4)
    two_slots.checkout.open_gate()

    assert len({future.result().picture for future in asked}) == 1


def test_processes_killed_while_idle_are_replaced_on_every_slot(two_slots: Supervised) -> None:
    two_slots.misbehave("gate", "gate")
    asked = [two_slots.run_meanwhile() for _ in range(2)]
    wait_until(lambda: len(two_slots.checkout.begun()) == 2)
    two_slots.checkout.open_gate()
    before = {future.result().picture for future in asked}

    for pid in two_slots.checkout.begun():
        kill(pid)
    after = {future.result().picture for future in [two_slots.run_meanwhile() for _ in range(4)]}

    assert after == before
    assert len(two_slots.checkout.begun()) == 6
    assert [is_gone(pid) for pid in two_slots.checkout.begun()[:2]] == [True, True]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def note(folder: Path, pid: int, content: str) -> Path:
    path = folder / f"{pid}.json"
    path.write_text(content)
    return path


def test_a_process_that_a_killed_host_left_is_ended(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    began = psutil.Process(sleeper.pid).create_time()
    path = note(tmp_path, sleeper.pid, f'{{"began": {began}}}')

    assert end_leftovers(tmp_path) == 1
    assert is_gone(sleeper.pid)
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    ['{"began": 1.0}', '{"began": 0.0}', "{}", "[]", '{"began": null}', "", "\x00"],
    ids=["older", "unknown", "empty", "list", "null", "nothing", "zero"],
)
def test_a_process_that_got_the_id_of_another_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], content: str
) -> None:
    path = note(tmp_path, sleeper.pid, content)

    assert end_leftovers(tmp_path) == 0
    assert sleeper.poll() is None
    assert not path.exists()


def test_a_note_on_a_process_that_has_ended_is_removed(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    note(tmp_path, sleeper.pid, f'{{"began": {psutil.Process(sleeper.pid).create_time()}}}')
    sleeper.kill()
    sleeper.wait()

    assert end_leftovers(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_half_written_note_is_removed(tmp_path: Path) -> None:
    (tmp_path / "half.part").write_bytes(b'{"beg')

    assert end_leftovers(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_hangs_while_it_starts_ends_with_the_host(
    open_engine: OpenEngine, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexec sleep 600\n")
    python.chmod(0o700)
    engine = open_engine(python=python)
    wait_until(lambda: engine.processes() != [])
    (starting,) = engine.processes()

    engine.engine.close()

    assert is_gone(starting)
    wait_until(lambda: engine.engine.readiness == "failed")
    assert engine.processes() == []


def test_a_process_whose_note_cannot_be_written_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids: list[int] = []

    def refuse(note: Path, _: bytes) -> None:
        pids.append(int(note.stem))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(child, "write_atomically", refuse)
    where = ProcessConfig(Path("/bin/sleep"), tmp_path, {}, tmp_path / "pids")
    with pytest.raises(HostNotReady, match=r"data folder .* has no room"):
        Child(["600"], where)
    assert is_gone(pids[0])
