"""What a Prefect server says of its runs that is not so: planned, in progress, or always there.

Prefect's server hears of the end of a run from the run's own process or from its worker. When both
are gone the run stays Running or Pending, and what waits for its place in a deployment's limit is
refused. An error in its scheduler stands in the server's log alone: schedules stay active.

A deployment stands, one run of it is always there, by its tag in `prefect.yaml`. An automation of
the server starts its next run after each end (deployments/automations/standing.py); a person who
wants none switches that automation off. Where a run was never started, or the server was down when
the last one ended, none is there.
"""

import time
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
_PAUSE_SECONDS = 0.5


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
    subflows = {"flow_runs": {**unfinished, "parent_flow_run_id": {"any_": [run.id]}}}
    for subflow in list(_read(api_url, subflows)):
        end_run(api_url, subflow, state)
    steps = {"flow_runs": {"id": {"any_": [run.id]}}, "task_runs": unfinished}
    # All are read first: those that have ended are missing in the pages that follow.
    for step in list(_pages(f"{api_url}/task_runs/filter", steps)):
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
    for run in _pages(f"{api_url}/flow_runs/filter", wanted):
        pid = str(run.get("infrastructure_pid") or "").rpartition(":")[2]
        process = int(pid) if pid.isdecimal() else None
        yield FlowRun(str(run["id"]), run["name"], str(run["state_type"]), process)


def _pages(address: str, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    offset = 0
    while found := ask(address, {**wanted, "limit": _PAGE, "offset": offset, "sort": "ID_DESC"}):
        yield from found
        if len(found) < _PAGE:
            return
        offset += _PAGE


ApiPath = Literal[
    "/automations/filter", "/deployments/filter", "/flow_runs/count", "/flow_runs/filter"
]
Post = Callable[[ApiPath, dict[str, Any]], Any]
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

STANDING = "standing"
"""The tag."""
_UNFINISHED = ["SCHEDULED", "PENDING", "RUNNING", "CANCELLING", "PAUSED"]


@dataclass(frozen=True)
class StandingDeployment:
    """A deployment with the tag that has no run.

    Attributes:
        id: Its id.
        name: Its name.
        newest_run: Id of its newest run, which has ended; None if it never had one.
    """

    id: str
    name: str
    newest_run: str | None

    @property
    def start_key(self) -> str:
        """The idempotency key of its next run: two that start it at one moment start one."""
        return f"{self.id} after {self.newest_run}"

    def sentence(self) -> str:
        """Describe that a run was started."""
        return f"A run of {self.name} was started; {keeper_of(self.name)!r} keeps it."


def keeper_of(name: str) -> str:
    """Name the automation that starts the next run of a standing deployment."""
    return f"Keep {name} running"


def without_run(post: Post) -> list[StandingDeployment]:
    """List the standing deployments that have no run, neither in progress nor to come.

    One whose automation is missing or switched off is to have none.
    """
    tagged = {"deployments": {"tags": {"all_": [STANDING]}}, "limit": 200}
    found: Sequence[dict[str, Any]] = post("/deployments/filter", tagged) or []
    names = [keeper_of(deployment["name"]) for deployment in found]
    keepers = post("/automations/filter", {"automations": {"name": {"any_": names}}}) or []
    kept = {keeper["name"] for keeper in keepers if keeper["enabled"]}
    return [
        StandingDeployment(str(d["id"]), d["name"], _newest(post, str(d["id"])))
        for d in found
        if keeper_of(d["name"]) in kept and not _unfinished(post, str(d["id"]))
    ]


def start_on_loopback(api_url: str) -> list[str]:
    """Start what a Prefect server on this machine lacks, and describe each in a sentence."""
    started = []
    for deployment in without_run(lambda path, body: _ask_patiently(f"{api_url}{path}", body)):
        body = {
            "state": {"type": "SCHEDULED", "name": "Scheduled"},
            # A second try after an answer that came too late starts no second run.
            "idempotency_key": deployment.start_key,
        }
        address = f"{api_url}/deployments/{deployment.id}/create_flow_run"
        if _ask_patiently(address, body) is not None:
            started.append(deployment.sentence())
    return started


def _ask_patiently(address: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON is any value
    for _ in range(_TRIES):
        answer = ask(address, body)
        if answer is not None:
            return answer
        time.sleep(_PAUSE_SECONDS)
    return None


def missing_sentence(deployments: Sequence[StandingDeployment]) -> str:
    """Describe what it means that standing deployments have no run, and what to do."""
    names = ", ".join(sorted(deployment.name for deployment in deployments))
    return (
        f"No run of {names} is in progress or to come, although it stands: start one in the "
        "Prefect UI, or by `storycanvas register`."
    )


def _unfinished(post: Post, deployment: str) -> int:
    state = {"state": {"type": {"any_": _UNFINISHED}}}
    count: int | None = post("/flow_runs/count", {**_of(deployment), "flow_runs": state})
    # Without an answer nothing is known.
    return 1 if count is None else count


def _newest(post: Post, deployment: str) -> str | None:
    sort = {"sort": "EXPECTED_START_TIME_DESC", "limit": 1}
    found = post("/flow_runs/filter", {**_of(deployment), **sort})
    return str(found[0]["id"]) if found else None


def _of(deployment: str) -> dict[str, Any]:
    return {"deployments": {"id": {"any_": [deployment]}}}
