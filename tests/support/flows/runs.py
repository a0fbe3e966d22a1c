"""Runs of flows: another process's own, what a run shows in the UI, and other retries."""

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import yaml
from prefect import Task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterKey,
    FlowRunFilter,
    FlowRunFilterId,
)
from prefect.client.schemas.objects import Artifact, State
from prefect.client.schemas.sorting import ArtifactSort

import tasks
from blocks.environment import Environment
from tasks.retries import is_retried
from tasks.waiting import is_retried_before_first_operation
from tests.support.host.started_host import wait_until
from tests.support.paths import ROOT

CONDITIONS = (is_retried, is_retried_before_first_operation)
RUN = (
    "import json, sys; from deployments.run_flow import load_flow; "
    "print(load_flow(sys.argv[1])(**json.loads(sys.argv[2])).summary())"
)


def start_run(
    prefect_url: str, flow: str = "age-progression", **parameters: object
) -> subprocess.Popen[str]:
    """Start a flow in another process, whose output is the report's summary."""
    environment = {**os.environ, "PREFECT_API_URL": prefect_url, "PREFECT_LOGGING_LEVEL": "ERROR"}
    command = [sys.executable, "-c", RUN, flow, json.dumps(parameters)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def shown_by(state: State[Any]) -> tuple[str, dict[str, list[Any]]]:
    """A run's name, and its artifacts by key, the oldest first."""
    run = state.state_details.flow_run_id
    assert run
    by_key: dict[str, list[Any]] = {}
    for artifact in artifacts_of(run):
        by_key.setdefault(str(artifact.key), []).append(artifact)
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run).name, by_key


def task_names_of(state: State[Any], name: str) -> set[str]:
    """The names of a run's tasks, once there is this one: a server learns them after the run."""
    which = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
    names: set[str] = set()

    def is_there() -> bool:
        with get_client(sync_client=True) as client:
            names.update(task.name for task in client.read_task_runs(flow_run_filter=which))
        return name in names

    wait_until(is_there)
    return names


def messages_of(state: State[Any]) -> list[str]:
    """The messages of the states of a run that ended, the oldest first."""
    run = state.state_details.flow_run_id
    assert run
    with get_client(sync_client=True) as client:
        states = client.read_flow_run_states(run)
    return [found.message or "" for found in sorted(states, key=lambda found: found.timestamp)]


def artifacts_of(run: UUID) -> list[Artifact]:
    """The artifacts of a run, the oldest first."""
    which = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
    with get_client(sync_client=True) as client:
        newest_first = client.read_artifacts(artifact_filter=which, sort=ArtifactSort.CREATED_DESC)
    return newest_first[::-1]


def kept(*keys: str) -> list[Artifact]:
    """The artifacts of some keys, of any run."""
    with get_client(sync_client=True) as client:
        return client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[*keys]))
        )


def forget(*keys: str) -> None:
    with get_client(sync_client=True) as client:
        while found := kept(*keys):
            for artifact in found:
                client.delete_artifact(artifact.id)


def set_retries(monkeypatch: pytest.MonkeyPatch, retries: int, *, seconds: float = 0.0) -> None:
    """Give all tasks other retries, here and in processes that the test starts.

    Tasks read the environment when they are imported, which was before this test began.
    """
    every = list(_retrying_tasks())  # imports what is left with the environment as it was
    monkeypatch.setenv("STORYCANVAS_STEP_RETRIES", str(retries))
    monkeypatch.setenv("STORYCANVAS_RETRY_SECONDS", str(seconds))
    delays = Environment().retry_delays
    for each in every:
        monkeypatch.setattr(each, "retries", retries)
        monkeypatch.setattr(each, "retry_delay_seconds", delays)


def _retrying_tasks() -> Iterator[Task[..., Any]]:
    for module in pkgutil.walk_packages(tasks.__path__, "tasks."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Task) and value.retry_condition_fn in CONDITIONS:
                yield value


def nightly_parameters(name: str) -> dict[str, Any]:
    """What a run has that the schedule of a deployment starts."""
    described = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    [deployment] = [each for each in described if each["name"] == name]
    [schedule] = deployment["schedules"]
    parameters: dict[str, Any] = {**deployment["parameters"], **schedule["parameters"]}
    return parameters
