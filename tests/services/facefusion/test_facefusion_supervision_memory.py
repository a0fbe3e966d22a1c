"""Memory that runs out or grows, weights that change: done with less, or in a new process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from storycanvas.faces.errors import EngineFailed
from storycanvas.faces.operations import FaceSwapperModel, SwapOperation
from storycanvas.host.engines.facefusion.drivers.driver import Renewal
from storycanvas.host.engines.facefusion.process import kernel_memory
from tests.support.facefusion.gated_checkout import is_gone
from tests.support.facefusion.stand_in.checkout import operations, write_weights
from tests.support.facefusion.supervised import (
    SELDOM,
    OpenEngine,
    Supervised,
    kill,
    memory_bytes,
    portrait,
)

MIB = 2**20
SWAP = SwapOperation(face_swapper_model=FaceSwapperModel.INSWAPPER_256)
TWO = (portrait(200), portrait(60))


@pytest.fixture
def engine(open_engine: OpenEngine) -> Supervised:
    return open_engine()


def argv(engine: Supervised) -> list[list[str]]:
    return [line["argv"] for line in operations(engine.checkout.home) if line["event"] == "begin"]


def test_a_swap_without_enough_memory_is_done_with_less_and_reports_it(
    engine: Supervised,
) -> None:
    engine.misbehave("out of memory")

    result = engine.run(SWAP, TWO)

    assert set(result.reduced) == {
        "video_memory_strategy tolerant -> strict",
        "execution_thread_count default -> 1",
        "face_swapper_pixel_boost 256x256 -> 128x128",
    }
    asked, done = argv(engine)
    assert "256x256" in asked
    assert {"strict", "128x128"} < set(done)


def test_low_memory_options_do_not_stay_for_the_next_operation(engine: Supervised) -> None:
    engine.misbehave("out of memory")
    engine.run()

    assert engine.run().reduced == ()
    assert "tolerant" in argv(engine)[-1]


def test_the_attempt_with_less_memory_runs_in_a_new_process(engine: Supervised) -> None:
    engine.misbehave("out of memory")
    engine.run()

    first, second = engine.checkout.begun()
    assert first != second
    assert is_gone(first)


def test_a_crash_is_tried_again_with_the_same_options(engine: Supervised) -> None:
    engine.misbehave("crash")

    assert engine.run(SWAP, TWO).reduced == ()
    assert "256x256" in argv(engine)[-1]


def test_too_little_memory_twice_is_an_error_with_a_remedy(engine: Supervised) -> None:
    engine.misbehave("out of memory", "out of memory")

    with pytest.raises(EngineFailed, match=r"out of memory, also with less\. Send a smaller"):
        engine.run()

    assert len(engine.checkout.begun()) == 2


@pytest.fixture
def counter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kernel's counters, as the engine reads them."""
    file = tmp_path / "vmstat"
    file.write_text("pgfault 7\noom_kill 2\n")
    monkeypatch.setattr(kernel_memory, "VMSTAT", file)
    return file


def test_a_kill_by_the_kernel_is_tried_again_with_less_memory(
    engine: Supervised, counter: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine.misbehave("gate")
    running = engine.run_meanwhile(SWAP, TWO)
    killed = engine.checkout.next_to_begin()
    counter.write_text("pgfault 7\noom_kill 3\n")
    kill(killed)

    assert "face_swapper_pixel_boost 256x256 -> 128x128" in running.result().reduced
    assert "The kernel killed FaceFusion's process for lack of memory" in caplog.text


def test_a_kill_by_a_person_is_tried_again_with_the_same_options(
    engine: Supervised, counter: Path
) -> None:
    assert counter.exists()
    engine.misbehave("kill")
    assert engine.run(SWAP, TWO).reduced == ()


@pytest.mark.parametrize(
    ("code", "before", "counters", "killed"),
    [
        (-9, 2, "oom_kill 3", True), (-9, 2, "oom_kill 2", False), (-9, 2, "pgfault 1", True),
        (-9, None, "oom_kill 2", True), (-15, 2, "oom_kill 3", False), (1, None, "", False),
        (None, 2, "oom_kill 3", False),
    ],
)  # fmt: skip
def test_the_kernels_counter_tells_a_kill_for_memory(
    counter: Path, code: int | None, before: int | None, counters: str, killed: bool
) -> None:
    counter.write_text(counters)
    assert kernel_memory.killed_for_memory(code, before) is killed


def test_a_process_is_replaced_after_its_number_of_operations(open_engine: OpenEngine) -> None:
    engine = open_engine(renewal=Renewal(operations=3, memory_bytes=SELDOM.memory_bytes))

    results = [engine.run().picture for _ in range(7)]

    pids = engine.checkout.begun()
    assert len(set(results)) == 1
    assert [pids.index(pid) for pid in pids] == [0, 0, 0, 3, 3, 3, 6]
    assert engine.processes() == pids[-1:]


def test_a_process_that_holds_too_much_memory_is_replaced(open_engine: OpenEngine) -> None:
    engine = open_engine(renewal=Renewal(SELDOM.operations, memory_bytes=400 * MIB))
    engine.misbehave("fine", "leak 500")

    results = [engine.run().picture for _ in range(4)]

    first, leaked, third, fourth = engine.checkout.begun()
    assert len(set(results)) == 1
    assert first == leaked != third == fourth
    assert is_gone(leaked)


def replace_weights(home: Path) -> None:
    write_weights(home, "gfpgan_1.4", b"other weights, and more of them")


def remove_weights(home: Path) -> None:
    (home / ".assets" / "models" / "codeformer.onnx").unlink()


@pytest.mark.parametrize("change", [replace_weights, remove_weights])
def test_a_process_is_replaced_once_after_weights_changed(
    engine: Supervised, change: Callable[[Path], None]
) -> None:
    before = engine.run().picture

    change(engine.checkout.home)
    after = [engine.run().picture for _ in range(2)]

    first, second, third = engine.checkout.begun()
    assert first != second == third
    assert after == [before, before]


def test_a_hundred_operations_need_no_more_memory_than_twenty(engine: Supervised) -> None:
    for shade in range(20):
        engine.run(None, [portrait(shade + 40)])
    pid, held = engine.checkout.begun()[0], engine.held()
    before = memory_bytes(pid)

    for shade in range(100):
        engine.run(None, [portrait(shade + 60)])

    assert set(engine.checkout.begun()) == {pid}
    assert memory_bytes(pid) - before < 16 * MIB
    assert engine.held() == held
