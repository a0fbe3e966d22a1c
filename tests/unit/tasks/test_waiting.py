"""How a run waits: before its first operation, and for its steps when it is stopped."""

import time

import pytest

from tasks.retries import Stopping
from tasks.waiting import FIRST_WAIT_SECONDS, first_task


@pytest.mark.parametrize(
    ("retries", "seconds", "delays"),
    [
        ("8", "2", [2, 4, 8, 16, 32, 60, 60, 60]),
        ("3", "30", [FIRST_WAIT_SECONDS, 60, 60]),
        ("2", "0", [0, 0]),
        ("0", "2", []),
    ],
)
def test_the_first_wait_is_short(
    monkeypatch: pytest.MonkeyPatch, retries: str, seconds: str, delays: list[float]
) -> None:
    monkeypatch.setenv("STORYCANVAS_STEP_RETRIES", retries)
    monkeypatch.setenv("STORYCANVAS_RETRY_SECONDS", seconds)

    task = first_task("load")(lambda: None)

    assert task.retries == len(delays)
    assert task.retry_delay_seconds == delays


def test_a_stopped_run_waits_for_its_steps_once() -> None:
    stopping = Stopping()
    with stopping.working():
        started = time.monotonic()
        stopping.begin()
        stopping.wait(0.2)
        stopping.begin()
        stopping.wait(0.2)

        assert 0.2 <= time.monotonic() - started < 0.35
