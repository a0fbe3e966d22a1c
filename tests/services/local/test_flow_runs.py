"""Runs on a real Prefect server that no process works on any more."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import StateType
from prefect.flows import flow
from prefect.runtime import flow_run
from prefect.settings import get_current_settings
from prefect.states import State
from prefect.tasks import task

from storycanvas.services import flow_runs
from storycanvas.services.flow_runs import crashed, end_run, runs_in_progress

pytestmark = pytest.mark.usefixtures("prefect")
ENDED = crashed("It was in progress.", "Ended by make down")


@flow
def anything() -> None:
    """Do nothing."""


@task
def a_step() -> None:
    """Do nothing."""


class Runs:
    """Runs of a work pool of the test's own, in states that a killed worker leaves."""

    def __init__(self, client: SyncPrefectClient, url: str) -> None:
        self.client = client
        self.url = url
        self.pool = f"pool-{uuid4().hex}"
        client.create_work_pool(WorkPoolCreate(name=self.pool, type="process"))
        queue = client.read_work_queue_by_name("default", work_pool_name=self.pool)
        flow_id = client.create_flow(anything)
        self.deployment = client.create_deployment(
            flow_id, f"d-{uuid4().hex}", work_queue_name=queue.name, work_pool_name=self.pool
        )

    def add(self, state: StateType, name: str | None = None, pid: int | None = None) -> str:
        run = self.client.create_flow_run_from_deployment(self.deployment, name=uuid4().hex)
        body: dict[str, Any] = {"type": state.value, "name": name or state.value.title()}
        changed = self.client.set_flow_run_state(run.id, State.model_validate(body), force=True)
        assert changed.state
        if pid is not None:
            self.client.update_flow_run(run.id, infrastructure_pid=str(pid))
        return str(run.id)

    def state(self, run: str) -> tuple[str, StateType | None, str | None]:
        found = self.client.read_flow_run(run)  # type: ignore[arg-type]
        return str(found.state_name), found.state_type, found.state and found.state.message


@pytest.fixture
def runs(prefect_url: str) -> Iterator[Runs]:
    with get_client(sync_client=True) as client:
        yield Runs(client, prefect_url)


def test_what_had_a_process_is_found_and_what_has_none_is_left_alone(runs: Runs) -> None:
    running, pending = runs.add(StateType.RUNNING), runs.add(StateType.PENDING)
    runs.add(StateType.PAUSED)
    runs.add(StateType.PAUSED, "Suspended")
    runs.add(StateType.SCHEDULED, "AwaitingRetry")
    runs.add(StateType.COMPLETED)

    found = runs_in_progress(runs.url, runs.pool)

    assert {run.id for run in found} == {running, pending}


@pytest.mark.parametrize("state", [StateType.RUNNING, StateType.PENDING])
def test_a_run_without_a_process_ends_with_a_name_and_a_sentence(
    runs: Runs, state: StateType
) -> None:
    added = runs.add(state)
    [run] = runs_in_progress(runs.url, runs.pool)

    assert not run.is_worked_on
    assert end_run(runs.url, run, ENDED)
    assert runs.state(added) == ("Ended by make down", StateType.CRASHED, "It was in progress.")


def test_every_step_of_a_run_ends_with_it_on_whatever_page_it_stands(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow_runs, "_PAGE", 2)
    added = UUID(runs.add(StateType.RUNNING))
    running: State[Any] = State(type=StateType.RUNNING)
    for number in range(5):
        runs.client.create_task_run(a_step, added, str(number), state=running)
    [run] = runs_in_progress(runs.url, runs.pool)

    assert end_run(runs.url, run, ENDED)

    steps = runs.client.read_task_runs(flow_run_filter=FlowRunFilter(id={"any_": [added]}))
    assert [step.state_type for step in steps] == [StateType.CRASHED] * 5


def test_a_run_that_a_person_was_cancelling_ends_as_cancelled(runs: Runs) -> None:
    added = runs.add(StateType.RUNNING, pid=1)
    cancelling: State[Any] = State(type=StateType.CANCELLING)
    runs.client.set_flow_run_state(added, cancelling)  # type: ignore[arg-type]
    [run] = runs_in_progress(runs.url, runs.pool)

    assert end_run(runs.url, run, ENDED)
    assert runs.state(added)[:2] == ("Cancelled", StateType.CANCELLED)


def test_a_run_that_ended_meanwhile_stays_as_it_is(runs: Runs) -> None:
    added = runs.add(StateType.RUNNING)
    [run] = runs_in_progress(runs.url, runs.pool)
    completed: State[Any] = State(type=StateType.COMPLETED)
    runs.client.set_flow_run_state(run.id, completed, force=True)  # type: ignore[arg-type]

    assert not end_run(runs.url, run, ENDED)
    assert runs.state(added)[1] is StateType.COMPLETED


def test_a_run_is_known_by_its_process_and_not_by_a_number_that_another_has_now(
    runs: Runs,
) -> None:
    added = runs.add(StateType.RUNNING, pid=os.getpid())
    assert not runs_in_progress(runs.url, runs.pool)[0].is_worked_on

    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        env={**os.environ, "PREFECT__FLOW_RUN_ID": added},
        stdin=subprocess.PIPE,
    ) as process:
        runs.client.update_flow_run(added, infrastructure_pid=str(process.pid))  # type: ignore[arg-type]
        [run] = runs_in_progress(runs.url, runs.pool)
        assert run.is_worked_on
        run.stop_process()

    assert process.returncode != 0
    assert not run.is_worked_on


def test_a_run_that_ends_as_it_is_cancelled_is_not_left_in_cancelling_for_minutes() -> None:
    @flow
    def ends_by_itself() -> None:
        cancelling: State[Any] = State(type=StateType.CANCELLING)
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(flow_run.get_id(), cancelling)  # type: ignore[arg-type]

    end = ends_by_itself(return_state=True)

    assert end.is_cancelling()  # else the setting is not needed any more
    settings = get_current_settings().server.services.cancellation_cleanup
    assert settings.cancelling_timeout_seconds == 60
