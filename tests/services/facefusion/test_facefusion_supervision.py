"""FaceFusion's process ends or hangs; the caller of an operation does not notice."""

import pytest

from storycanvas.faces.errors import EngineFailed, HostNotReady, OperationTimedOut
from tests.support.facefusion.gated_checkout import is_gone
from tests.support.facefusion.stand_in.checkout import write_weights
from tests.support.facefusion.supervised import OpenEngine, Supervised, kill


@pytest.fixture
def engine(open_engine: OpenEngine) -> Supervised:
    return open_engine()


def test_a_kill_between_two_operations_costs_no_run(engine: Supervised) -> None:
    before = engine.run()
    kill(engine.checkout.begun()[0])

    after = engine.run()

    assert after.picture == before.picture
    assert len(engine.checkout.begun()) == len(set(engine.checkout.begun())) == 2


def test_a_process_killed_while_idle_costs_no_try(engine: Supervised) -> None:
    engine.run()
    kill(engine.checkout.begun()[0])
    engine.misbehave("crash")

    assert engine.run().picture is not None


def test_a_kill_during_an_operation_costs_one_run_more_and_nothing_else(engine: Supervised) -> None:
    engine.misbehave("gate")
    running = engine.run_meanwhile()

    kill(engine.checkout.next_to_begin())

    assert running.result().picture == engine.run().picture
    first, second, third = engine.checkout.begun()
    assert first != second == third
    assert engine.checkout.ended() == [second, third]


def test_a_kill_in_both_attempts_is_an_error_with_the_last_log_lines(
    engine: Supervised,
) -> None:
    engine.misbehave("gate", "gate")
    running = engine.run_meanwhile()

    kill(engine.checkout.next_to_begin())
    kill(engine.checkout.next_to_begin(before=1))

    with pytest.raises(EngineFailed, match=r"code -9, twice\. Last lines .* processing:"):
        running.result()
    assert len(engine.checkout.begun()) == 2


@pytest.mark.parametrize("end", ["crash", "kill"])
def test_a_process_that_ends_by_itself_is_replaced(engine: Supervised, end: str) -> None:
    engine.misbehave(end)

    disturbed = engine.run()

    assert disturbed.picture == engine.run().picture
    assert len(set(engine.checkout.begun()[:2])) == 2


def test_after_two_crashes_the_next_operation_is_done(engine: Supervised) -> None:
    engine.misbehave("crash", "crash")

    with pytest.raises(EngineFailed, match=r"ended by itself with code 1, twice\."):
        engine.run()

    assert engine.run().picture is not None
    assert len(set(engine.checkout.begun())) == 3


def test_weights_that_do_not_load_are_named_after_two_tries(engine: Supervised) -> None:
    write_weights(engine.checkout.home, "gfpgan_1.4", b"broken")

    with pytest.raises(EngineFailed, match=r"twice\. .*loading model gfpgan_1\.4 failed"):
        engine.run()

    assert len(set(engine.checkout.begun())) == 2


def test_an_operation_that_hangs_once_is_done(open_engine: OpenEngine) -> None:
    engine = open_engine(try_seconds=4.0)
    engine.misbehave("hang")

    disturbed = engine.run()

    assert disturbed.picture == engine.run().picture
    first, second, third = engine.checkout.begun()
    assert first != second == third
    assert is_gone(first)


def test_an_operation_that_hangs_twice_has_timed_out(open_engine: OpenEngine) -> None:
    engine = open_engine(try_seconds=1.0)
    engine.misbehave("hang", "hang")

    with pytest.raises(OperationTimedOut, match=r"did not end within 1 s, twice\.") as raised:
        engine.run()

    assert (raised.value.status, raised.value.retryable) == (504, True)
    assert engine.processes() == []


def test_an_operation_that_the_end_of_its_host_cuts_off_is_not_repeated(
    engine: Supervised,
) -> None:
    engine.misbehave("gate")
    running = engine.run_meanwhile()
    engine.checkout.next_to_begin()

    engine.engine.close()

    with pytest.raises(HostNotReady):
        running.result()
    assert len(engine.checkout.begun()) == 1
    assert engine.processes() == []


@pytest.mark.parametrize("end", ["kill", "crash"])
def test_breakdowns_leave_no_file_no_folder_and_no_thread_behind(
    engine: Supervised, end: str
) -> None:
    engine.run()
    before = engine.held()

    for _ in range(3):
        engine.misbehave(end)
        engine.run()

    assert engine.held() == before
    assert list((engine.folder / "jobs").iterdir()) == []


def test_a_download_that_hangs_holds_the_slot_once(open_engine: OpenEngine) -> None:
    engine = open_engine(downloads=True, try_seconds=2.0)
    (engine.checkout.home / ".assets" / "models" / "gfpgan_1.4.onnx").unlink()
    engine.misbehave("hang", "fine")

    with pytest.raises(OperationTimedOut, match=r"lacks gfpgan_1\.4\.onnx, and did not load it in"):
        engine.run()

    assert len(engine.checkout.begun()) == 1
