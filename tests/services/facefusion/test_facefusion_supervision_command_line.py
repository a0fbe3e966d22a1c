"""A FaceFusion process for every run: it ends, hangs or lacks memory, and the host copes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storycanvas.faces.errors import EngineFailed, OperationTimedOut
from storycanvas.faces.operations import DetectOperation
from tests.support.facefusion.gated_checkout import is_gone
from tests.support.facefusion.supervised import Supervised, kill


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Supervised]:
    with Supervised(tmp_path, command_line_only=True) as opened:
        yield opened


def test_a_run_of_its_own_that_is_killed_is_done_once_more(engine: Supervised) -> None:
    engine.misbehave("gate")
    running = engine.run_meanwhile(DetectOperation())

    kill(engine.checkout.next_to_begin())

    assert len(running.result().faces) == 1
    assert engine.checkout.begun()[1:] == engine.checkout.ended()


def test_runs_of_their_own_that_end_twice_by_themselves_are_told(engine: Supervised) -> None:
    engine.misbehave("kill", "kill")

    with pytest.raises(EngineFailed, match=r"code -9, twice\."):
        engine.run(DetectOperation())


def test_a_run_of_its_own_that_hangs_is_ended(tmp_path: Path) -> None:
    with Supervised(tmp_path, command_line_only=True, try_seconds=1.0) as engine:
        engine.misbehave("hang", "hang")

        with pytest.raises(OperationTimedOut):
            engine.run(DetectOperation())

        assert engine.processes() == []
        assert all(is_gone(pid) for pid in engine.checkout.begun())


def test_a_run_of_its_own_is_done_with_less_memory(engine: Supervised) -> None:
    engine.misbehave("out of memory")

    result = engine.run()

    assert "video_memory_strategy tolerant -> strict" in result.stepped_down
    assert result.picture == engine.run().picture
