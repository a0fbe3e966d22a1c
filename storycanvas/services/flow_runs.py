"""What a Prefect server says of its runs that is not so: planned, or in progress.

Prefect's server hears of the end of a run from the run's own process or from its worker. When both
are gone the run stays Running or Pending, and what waits for its place in a deployment's limit is
refused. An error in its scheduler stands in the server's log alone: schedules stay active.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import psutil

from storycanvas.services.ports import ask
from storycanvas.services.process import Identity, stop

IN_PROGRESS = ("PENDING", "RUNNING", "CANCELLING")
"""Types of states with a process. Paused and suspended runs, and those to be tried later, have
none, and go on when a person or the scheduler says so."""

_PAGE = 200
_TRIES = 5
"""SQLite may answer 503 to a write; `ask` waits for nothing, so a write is repeated."""


@dataclass(frozen=True)
class FlowRun:
    """A run as the server knows it.

    Attributes:
        id: Its id.
        name: What people call it.
        state_type: `RUNNING`, `PENDING` and so on.
        process: Number of the process that works on it; None before it has one.
    """

    id: str
    name: str
    state_type: str
    process: int | None = None

    @property
    def is_worked_on(self) -> bool:
        """Whether the process of the run lives; its number alone may belong to another by now."""
        return self._identity() is not None

    def stop_process(self) -> None:
        """End the process of the run, if it lives."""
        identity = self._identity()
        if identity:
            stop(identity)

    def _identity(self) -> Identity | None:
        if self.process is None:
            return None
        try:
            found = psutil.Process(self.process)
            works = found.environ().get("PREFECT__FLOW_RUN_ID") == self.id
            return Identity(found.pid, found.create_time()) if works else None
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None  # it ended, or its number belongs to a process of another user


def runs_in_progress(api_url: str, pool: str) -> list[FlowRun]:
    """List the runs of a work pool that should have a process, subflows aside."""
    return list(
        _read(
            api_url,
            {
                "work_pools": {"name": {"any_": [pool]}},
                "flow_runs": {"state": {"type": {"any_": list(IN_PROGRESS)}}},
            },
        )
    )


def end_run(api_url: str, run: FlowRun, state: dict[str, Any]) -> bool:
    """Put a run into a final state, with its subflows and steps that did not end.

    A run that a person was cancelling ends as Cancelled.

    Returns:
        Whether the run itself was put into the state: False if it has ended otherwise meanwhile,
        or the server takes no change.
    """
    now = next(_read(api_url, {"flow_runs": {"id": {"any_": [run.id]}}}), None)
    if now is None or now.state_type not in {*IN_PROGRESS, "CRASHED"}:
        return False
    if "CANCELLING" in {run.state_type, now.state_type}:
        state = {"type": "CANCELLED", "name": "Cancelled", "message": state["message"]}
    unfinished = {"state": {"type": {"any_": list(IN_PROGRESS)}}}
    for subflow in _read(
        api_url, {"flow_runs": {**unfinished, "parent_flow_run_id": {"any_": [run.id]}}}
    ):
        end_run(api_url, subflow, state)
    steps = {"flow_runs": {"id": {"any_": [run.id]}}, "task_runs": unfinished}
    for step in ask(f"{api_url}/task_runs/filter", {**steps, "limit": _PAGE}) or []:
        _set_state(f"{api_url}/task_runs/{step['id']}", state)
    return _set_state(f"{api_url}/flow_runs/{run.id}", state)


def crashed(message: str, name: str = "Crashed") -> dict[str, Any]:
    """Describe a state of type Crashed; Prefect's UI offers Retry for it."""
    return {"type": "CRASHED", "name": name, "message": message}


def _set_state(address: str, state: dict[str, Any]) -> bool:
    # Forced: the server's rules would let a state that is final already stand.
    body = {"state": state, "force": True}
    return any(ask(f"{address}/set_state", body) is not None for _ in range(_TRIES))


def _read(api_url: str, wanted: dict[str, Any]) -> Iterator[FlowRun]:
    offset = 0
    while found := ask(
        f"{api_url}/flow_runs/filter",
        {**wanted, "limit": _PAGE, "offset": offset, "sort": "ID_DESC"},
    ):
        for run in found:
            pid = str(run.get("infrastructure_pid") or "").rpartition(":")[2]
            process = int(pid) if pid.isdecimal() else None
            yield FlowRun(str(run["id"]), run["name"], str(run["state_type"]), process)
        if len(found) < _PAGE:
            return
        offset += _PAGE


SchedulePath = Literal["/deployments/filter", "/flow_runs/count"]
Post = Callable[[SchedulePath, dict[str, Any]], Any]
"""Posts a body to a path of Prefect's API and returns the answer; None where there is none."""

TIME_TO_PLAN = timedelta(seconds=120)
"""The scheduler looks at a changed schedule within seconds and at all of them once a minute."""


def on_loopback(api_url: str) -> Post:
    """Make the `Post` of a Prefect server on this machine."""
    return lambda path, body: ask(f"{api_url}{path}", body)


def idle_schedules(post: Post, now: datetime) -> list[str]:
    """Name the deployments whose schedules are on and that have no run ahead of them.

    An error in the scheduler stands in the server's log alone: schedules stay green and active.
    """
    found: Sequence[Mapping[str, Any]] = post("/deployments/filter", {"limit": 200}) or []
    due = [deployment for deployment in found if should_be_planned(deployment, now)]
    return sorted(str(d["name"]) for d in due if not _planned(post, str(d["id"]), now))


def should_be_planned(deployment: Mapping[str, Any], now: datetime) -> bool:
    """Check whether a deployment as the API describes it must have a run ahead of it.

    A recurrence rule may have come to its end, so only cron and interval schedules count.
    """
    if deployment["paused"]:
        return False
    return any(
        schedule["active"]
        and "rrule" not in schedule["schedule"]
        and not schedule.get("max_scheduled_runs")
        and now - _changed(schedule, deployment) > TIME_TO_PLAN
        for schedule in deployment["schedules"]
    )


def idle_sentence(deployments: Sequence[str]) -> str:
    """Describe what it means that nothing is planned for deployments, and what to do."""
    return (
        f"Prefect's scheduler plans no run of {', '.join(deployments)}, although their schedules "
        "are active; the reason stands in the Prefect server's log."
    )


def _planned(post: Post, deployment_id: str, now: datetime) -> int | None:
    scheduled = {"type": {"any_": ["SCHEDULED"]}}
    ahead = {"after_": now.isoformat()}
    count: int | None = post(
        "/flow_runs/count",
        {
            "deployments": {"id": {"any_": [deployment_id]}},
            "flow_runs": {"state": scheduled, "expected_start_time": ahead},
        },
    )
    # Without an answer nothing is known.
    return 1 if count is None else count


def _changed(schedule: Mapping[str, Any], deployment: Mapping[str, Any]) -> datetime:
    times = [schedule.get("updated"), deployment.get("updated")]
    return max((datetime.fromisoformat(time) for time in times if time), default=_LONG_AGO)


_LONG_AGO = datetime.min.replace(tzinfo=UTC)
