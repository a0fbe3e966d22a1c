"""Which crashed runs are scheduled again."""

from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, State, StateType

from tasks.resuming import RESUMED, why_not


def run_of(state: StateType = StateType.CRASHED, **fields: Any) -> FlowRun:
    ended: State[Any] = State(type=state)
    return FlowRun(flow_id=uuid4(), state=ended, **{"deployment_id": uuid4(), **fields})


def test_a_crashed_run_of_a_deployment_goes_on() -> None:
    assert why_not(run_of(tags=["faces"])) == ""


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (run_of(StateType.RUNNING), "not Crashed"),
        (run_of(StateType.COMPLETED), "not Crashed"),
        (run_of(deployment_id=None), "no deployment started it"),
        (run_of(tags=["faces", "standing"]), "the next run begins by itself"),
        (run_of(labels={RESUMED: "2026-11-21"}), "went on by itself at 2026-11-21"),
    ],
)
def test_another_run_is_left_with_the_reason(run: FlowRun, reason: str) -> None:
    assert reason in why_not(run)
