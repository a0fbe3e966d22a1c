"""Whoever waits for a GPU host says in the run's log what it waits for, and who holds it."""

import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.limits import create_limit
from storycanvas.gpu.guard import queue as gpu_guard
from storycanvas.gpu.guard.queue import GpuGuard, SlotWaitTimedOut


@pytest.fixture
def limit(prefect_url: str) -> Iterator[str]:
    name = f"gpu:{uuid4().hex}"
    with temporary_settings({PREFECT_API_URL: prefect_url}):
        create_limit(name, 1)
        yield name


def test_a_waiting_operation_says_who_holds_the_slot(
    limit: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_guard, "SAY_SECONDS", 0.3)
    holder = GpuGuard(limit)

    with (
        caplog.at_level(logging.INFO, "storycanvas.gpu.guard.queue"),
        holder.slot("ages of Mira", 20),
        pytest.raises(SlotWaitTimedOut),
        GpuGuard(limit).slot("another run", 1.5),
    ):
        pytest.fail("the slot was given twice")

    holder.close()
    assert "Waiting for a slot of" in caplog.text
    assert "held by ages of Mira" in caplog.text
