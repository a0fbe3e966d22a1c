"""A drain that is always there, for real: it waits for its place, and notices that it has moved."""

import threading
import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State

from flows.process_jobs import process_jobs
from storycanvas.services.ports import LOOPBACK, choose_port
from tests.support.flows.jobs import insert_jobs, stored_portrait, the_job
from tests.support.flows.world import World

DEADLINE = 60.0


class Standing:
    """A drain without an end, in a thread of its own."""

    def __init__(self, **parameters: Any) -> None:
        self._parameters = {"run_minutes": 1, "wait_seconds": None, **parameters}
        self._states: list[State[Any]] = []
        # Which Prefect server is used stands in the context.
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,))
        self._thread.start()

    def _run(self) -> None:
        self._states.append(process_jobs(**self._parameters, return_state=True))

    def ended(self) -> State[Any]:
        self._thread.join(2 * DEADLINE)
        return self._states[0]


def until_logged(caplog: pytest.LogCaptureFixture, sentence: str) -> None:
    until = time.monotonic() + DEADLINE
    while sentence not in caplog.text:
        assert time.monotonic() < until
        time.sleep(0.1)


def states_of(ended: State[Any]) -> list[str]:
    """The messages of all states of a run."""
    run_id = ended.state_details.flow_run_id
    assert run_id
    with get_client(sync_client=True) as client:
        return [state.message or "" for state in client.read_flow_run_states(run_id)]


@pytest.fixture
def standing() -> Iterator[Callable[..., Standing]]:
    begun: list[Standing] = []

    def start(**parameters: Any) -> Standing:
        begun.append(Standing(**parameters))
        return begun[-1]

    yield start
    for drain in begun:
        drain.ended()


def test_it_waits_for_a_database_that_is_away(
    world: World,
    standing: Callable[..., Standing],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    picture = stored_portrait(world)
    insert_jobs(world, {"job_type": "detect", "input_data": {"image_url": picture}})
    away = f"mongodb://{LOOPBACK}:{choose_port([])}/?serverSelectionTimeoutMS=200"
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("MONGO_URL", away)
        drain = standing(max_jobs=1)
        until_logged(caplog, "The run waits: ")

    ended = drain.ended()
    assert ended.is_completed()
    assert any(message.startswith("The run waits: ") for message in states_of(ended))
    assert the_job(world)["status"] == "completed"


def test_it_ends_for_the_next_run_when_its_host_is_away_and_another_is_named(
    world: World,  # noqa: ARG001 - the database, and the host that is named later
    standing: Callable[..., Standing],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("FACEFUSION_URL", f"http://{LOOPBACK}:{choose_port([])}")
        drain = standing(run_minutes=720)
        until_logged(caplog, "Nothing is claimed until a host can work")
    began = time.monotonic()

    assert drain.ended().is_completed()
    assert time.monotonic() - began < DEADLINE
