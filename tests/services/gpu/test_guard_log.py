"""An operation that waits for a GPU host logs what it waits for and who holds it."""

import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.limits import create_limit
from storycanvas.gpu.guard.dispatcher import Dispatcher, SlotWaitTimedOut
from storycanvas.gpu.guard.settings import GuardSettings


@pytest.fixture
def limit(prefect_url: str) -> Iterator[str]:
    name = f"gpu:{uuid4().hex}"
    with temporary_settings({PREFECT_API_URL: prefect_url}):
        create_limit(name, 1)
        yield name


def test_a_waiting_operation_logs_who_holds_the_slot(
    limit: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.INFO, "storycanvas.gpu.guard.dispatcher"),
        Dispatcher() as holder,
        Dispatcher(GuardSettings(log=0.3)) as guard,
        holder.slot(limit, "ages of Mira", 20),
        pytest.raises(SlotWaitTimedOut),
        guard.slot(limit, "another run", 4),
    ):
        pytest.fail("the slot was given twice")

    assert f"Waiting for a slot. '{limit}': held by ages of Mira" in caplog.text
