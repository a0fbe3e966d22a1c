"""How a run waits before its first operation: short at first, as the environment says later."""

import pytest

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
