"""The state of a run that waits for the GPU or is at work, on a real Prefect server."""

import time
from itertools import pairwise
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.objects import State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled, Cancelling, Running

from flows.enhance_faces import enhance_faces
from storycanvas.faces.forecasts.progress import WAITING_FOR_GPU, StateWords
from storycanvas.gpu.guard.dispatcher import Dispatcher
from tasks.faces.forecast import shown_state
from tasks.wait_reasons import forget_words, show_words
from tests.support.flows.world import CHARACTER
from tests.support.guard.slots import Threads, holding
from tests.support.host.started_host import wait_until


def newest_run(name: str) -> UUID | None:
    named = FlowRunFilter(name=FlowRunFilterName(any_=[name]))
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            flow_run_filter=named, limit=1, sort=FlowRunSort.EXPECTED_START_TIME_DESC
        )
    return runs[0].id if runs else None


def state_of(run: UUID) -> State:
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run).state
    assert state is not None
    return state


def states_of(run: UUID) -> list[State]:
    with get_client(sync_client=True) as client:
        return sorted(client.read_flow_run_states(run), key=lambda state: state.timestamp)


@pytest.fixture
def short_periods(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds between two changes of a state."""
    monkeypatch.setattr(shown_state, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(shown_state, "WAITED_SECONDS", 0.2)
    monkeypatch.setattr(shown_state, "CHANGE_SECONDS", 1.5)
    return 1.5


def run_that_waits(name: str) -> UUID:
    """The run of a name, once its state says that it waits."""
    found: list[UUID] = []

    def waits() -> bool:
        run = newest_run(name)
        found[:] = [run] if run is not None and state_of(run).name == WAITING_FOR_GPU else []
        return bool(found)

    wait_until(waits)
    return found[0]


@pytest.mark.usefixtures("world")
def test_a_run_that_waits_shows_what_goes_before_it_and_ends_well(
    limit: str, short_periods: float
) -> None:
    name = f"waits {time.time_ns()}"

    def watch() -> None:
        try:
            run_that_waits(name)
            time.sleep(3 * short_periods)  # the time in which the state would change again
        finally:
            release()

    with Dispatcher() as other, holding(other, limit) as release, Threads() as pool:
        watched = pool.submit(watch)
        run = enhance_faces.with_options(flow_run_name=name)
        ended = run(CHARACTER, force=True, return_state=True)
        watched.result()

    assert ended.state_details.flow_run_id is not None
    states = states_of(ended.state_details.flow_run_id)
    waits = [state for state in states if state.name == WAITING_FOR_GPU]
    assert ended.is_completed()
    assert states[-1].type == StateType.COMPLETED
    messages = [state.message for state in waits]
    assert {state.type for state in waits} == {StateType.RUNNING}
    assert messages[0] == "1 before you"
    assert len(messages) == len({*messages})  # not changed while the words are the same
    shown = [state.timestamp for state in states if state.type == StateType.RUNNING][1:]
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(shown)]
    assert all(pause >= 0.9 * short_periods for pause in pauses)


@pytest.mark.usefixtures("world")
def test_a_run_that_is_cancelled_while_it_waits_stays_so(limit: str, short_periods: float) -> None:
    name = f"cancelled {time.time_ns()}"

    def cancel() -> StateType:
        try:
            run = run_that_waits(name)
            with get_client(sync_client=True) as client:
                client.set_flow_run_state(run, Cancelling())
            time.sleep(3 * short_periods)
            return state_of(run).type
        finally:
            release()

    with Dispatcher() as other, holding(other, limit) as release, Threads() as pool:
        cancelled = pool.submit(cancel)
        run = enhance_faces.with_options(flow_run_name=name)
        run(CHARACTER, force=True, return_state=True)

    assert cancelled.result() == StateType.CANCELLING


@pytest.mark.parametrize("ended", [Cancelled(), Cancelling()], ids=["cancelled", "cancelling"])
@pytest.mark.usefixtures("prefect")
def test_a_run_that_was_ended_by_another_is_not_set_running_again(ended: State) -> None:
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(enhance_faces, state=Running())
        client.set_flow_run_state(run.id, ended, force=True)

    show_words(run.id, StateWords(WAITING_FOR_GPU, "1 before you"))
    forget_words(run.id)

    assert state_of(run.id).type == ended.type
