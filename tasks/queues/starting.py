"""Starting the drain of a queue, unless one is there."""

from datetime import UTC, datetime, timedelta
from typing import cast

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound

from db.queues.queue import COUPLE_TASKS, JOBS

DRAINS = {JOBS.collection: "process-jobs", COUPLE_TASKS.collection: "process-faceswap-tasks"}
"""The flow that works on a queue, and its deployment without a schedule."""
STANDING = "-standing"
"""Ends the name of the deployment whose runs follow each other without end."""
_WITH_A_WORKER = [StateType.RUNNING, StateType.PENDING, StateType.SCHEDULED]
_SOON = timedelta(seconds=5)


def start_drain(queue: str, key: str, at: datetime | None = None) -> str:
    """Start a run that works on a queue, unless one is in progress or about to begin.

    Args:
        queue: The collection.
        key: Of what it is started for; the same one starts one run.
        at: When there is something to do, UTC; None is now.

    Returns:
        What was done, or why nothing was, in a sentence.
    """
    flow = DRAINS[queue]
    now = datetime.now(UTC)
    later = at if at is not None and at > now + _SOON else None
    try:
        found = _there(flow, later or now, only_standing=later is not None)
        if found is not None:
            return f"The run {found.name} takes it."
        started = run_deployment(
            f"{flow}/{flow}", scheduled_time=later, timeout=0, as_subflow=False, idempotency_key=key
        )
    except ObjectNotFound:
        return f"No deployment {flow} is registered, so no run was started: start {flow} by hand."
    except httpx.HTTPError as error:
        reason = type(error).__name__
        return f"No run was started, Prefect does not answer ({reason}): start {flow} by hand."
    run = cast("FlowRun", started)  # outside of an event loop it is no coroutine
    return f"The run {run.name} was {'planned for then' if later else 'started'}."


def _there(flow: str, at: datetime, *, only_standing: bool) -> FlowRun | None:
    """Find a run that works on the queue then; one that ends with it is not counted for later."""
    names = [f"{flow}{STANDING}"] if only_standing else [flow, f"{flow}{STANDING}"]
    states = FlowRunFilterState(type=FlowRunFilterStateType(any_=_WITH_A_WORKER))
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=states),
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=names)),
        )
    return next((run for run in runs if _has_begun(run, at)), None)


def _has_begun(run: FlowRun, at: datetime) -> bool:
    if run.state_type is not StateType.SCHEDULED:
        return True
    return run.expected_start_time is not None and run.expected_start_time <= at + _SOON
