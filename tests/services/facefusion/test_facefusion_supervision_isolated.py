"""One FaceFusion process for each operation: it ends, hangs or lacks memory, and the host copes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storycanvas.faces.errors import EngineFailed, OperationTimedOut
from storycanvas.host.engines.facefusion.drivers.driver import ISOLATED
from tests.support.facefusion.gated_checkout import is_gone
from tests.support.facefusion.supervised import Supervised, kill


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Supervised]:
    with Supervised(tmp_path, renewal=ISOLATED) as opened:
        yield opened


def test_every_operation_gets_a_process_that_ends_with_it(engine: Supervised) -> None:
    results = []
    for _ in range(2):
        results.append(engine.run().picture)
        assert engine.processes() == []

    assert engine.engine.mode == "isolated"
    assert results[0] == results[1]
    assert len(set(engine.checkout.begun())) == 2
    assert all(is_gone(pid) for pid in engine.checkout.begun())


def test_a_killed_isolated_process_costs_one_run_more(engine: Supervised) -> None:
    engine.misbehave("gate")
    running = engine.run_meanwhile()

    kill(engine.checkout.next_to_begin())

    assert running.result().picture is not None
    assert engine.checkout.begun()[1:] == engine.checkout.ended()


def test_isolated_processes_that_end_twice_by_themselves_are_an_error(engine: Supervised) -> None:
    engine.misbehave("kill", "kill")

    with pytest.raises(EngineFailed, match=r"code -9, twice\."):
        engine.run()

    assert engine.processes() == []


def test_an_isolated_process_that_hangs_is_killed(tmp_path: Path) -> None:
    with Supervised(tmp_path, renewal=ISOLATED, try_seconds=2.0) as engine:
        engine.misbehave("hang", "hang")

        with pytest.raises(OperationTimedOut):
            engine.run()

        assert engine.processes() == []
        assert all(is_gone(pid) for pid in engine.checkout.begun())


def test_an_isolated_operation_is_done_with_less_memory(engine: Supervised) -> None:
    engine.misbehave("out of memory")

    result = engine.run()

    assert "video_memory_strategy tolerant -> strict" in result.reduced
    assert result.picture == engine.run().picture
