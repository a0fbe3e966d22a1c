"""How a run waits: before its first operation, and for its steps when it is stopped."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from storycanvas.gpu.guard.settings import DEFAULTS
from tasks import wait_reasons
from tasks.retries import GRACE_SECONDS, SETTLED_SECONDS, SHOWN_SECONDS, Stopping
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


def test_a_step_that_ends_while_another_drops_the_last_reason_ends_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, step = uuid4(), uuid4()
    reasons = {run: {step: "Waiting for the next try"}}
    lock = threading.Lock()
    monkeypatch.setattr(wait_reasons, "_reasons", reasons)
    monkeypatch.setattr(wait_reasons, "_lock", lock)
    with ThreadPoolExecutor(1) as threads:
        with lock:
            dropping = threads.submit(wait_reasons.drop_reason, run, step)
            time.sleep(0.2)
            del reasons[run]  # as the other step does in its turn
        dropping.result()


KILLED_SECONDS = 30.0
"""What Prefect's worker gives a cancelled run."""


def test_all_that_follows_a_signal_ends_before_the_worker_kills_the_run() -> None:
    assert GRACE_SECONDS < SETTLED_SECONDS < SHOWN_SECONDS
    assert SHOWN_SECONDS + DEFAULTS.exit <= KILLED_SECONDS

    stopping = Stopping()
    stopping.begin()
    time.sleep(0.1)
    left = stopping.deadline(SETTLED_SECONDS) - time.monotonic()
    assert SETTLED_SECONDS - 0.2 < left < SETTLED_SECONDS
