"""What `prefect.yaml` says of the flows: each is deployed, scheduled soundly and in a queue."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.utilities.schema_tools import validate

from deployments.forms import first_paragraph, form_schema
from deployments.queues import MADE_BY_PREFECT, QUEUES
from deployments.run_flow import flow_names, load_flow
from tests.support.paths import ROOT
from tests.unit.deployments.test_forms import SENTENCE_ENDS

Deployment = dict[str, Any]
DEPLOYMENTS: list[Deployment] = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
SCHEDULED = [deployment for deployment in DEPLOYMENTS if "schedules" in deployment]
A_WEEK_AND_A_DAY = timedelta(days=8)
APART = timedelta(minutes=10)
QUEUES_OF_TAGS = {
    "health": "health",
    "faces": "gpu",
    "couple": "gpu",
    "queues": "jobs",
    "jobs": "jobs",
    "maintenance": "maintenance",
    "catalog": "maintenance",
}
"""The last tag of a deployment that stands here decides."""


def name_of(deployment: Deployment) -> str:
    return str(deployment["name"])


def flow_of(deployment: Deployment) -> str:
    return Path(deployment["entrypoint"].split(".py:")[0]).name.replace("_", "-")


def queue_of(deployment: Deployment) -> str:
    return str(deployment["work_pool"].get("work_queue_name", "default"))


every_deployment = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
every_scheduled = pytest.mark.parametrize("deployment", SCHEDULED, ids=name_of)


def plan_of(schedule: dict[str, Any]) -> CronSchedule | IntervalSchedule:
    if "cron" in schedule:
        return CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
    return IntervalSchedule(interval=timedelta(seconds=schedule["interval"]))


def starts(schedule: dict[str, Any], since: datetime) -> list[datetime]:
    end = since + A_WEEK_AND_A_DAY
    return asyncio.run(plan_of(schedule).get_dates(n=1000, start=since, end=end))


def test_every_flow_has_a_deployment_and_every_deployment_a_flow() -> None:
    assert {flow_of(deployment) for deployment in DEPLOYMENTS} == {*flow_names()}


@every_deployment
def test_a_deployment_is_described_by_its_flows_first_sentence(deployment: Deployment) -> None:
    described = first_paragraph(load_flow(flow_of(deployment)).description or "")

    assert "description" not in deployment  # `register` takes the flow's own
    assert SENTENCE_ENDS.findall(described) == ["."]


@every_scheduled
def test_a_schedule_is_named_and_in_utc_and_comes_due(deployment: Deployment) -> None:
    for schedule in deployment["schedules"]:
        assert schedule["slug"]
        assert schedule.get("timezone", "UTC") == "UTC"
        assert ("cron" in schedule) <= ("timezone" in schedule)
        assert starts(schedule, datetime.now(UTC))


def test_no_two_schedules_of_maintenance_start_in_the_same_ten_minutes() -> None:
    def all_starts() -> Iterator[tuple[datetime, str]]:
        now = datetime.now(UTC)
        for deployment in SCHEDULED:
            if queue_of(deployment) == "maintenance":
                for schedule in deployment["schedules"]:
                    yield from ((start, name_of(deployment)) for start in starts(schedule, now))

    close = [
        (earlier, later)
        for earlier, later in pairwise(sorted(all_starts()))
        if later[0] - earlier[0] < APART
    ]
    assert close == []


@every_deployment
def test_parameters_are_those_of_the_flow_and_a_schedule_needs_no_person(
    deployment: Deployment,
) -> None:
    flow = load_flow(flow_of(deployment))
    schema = form_schema(flow.parameters.model_dump())
    own = deployment.get("parameters", {})

    assert own.keys() <= flow.parameters.properties.keys()
    assert validate(own, schema, ignore_required=True) == []
    for schedule in deployment.get("schedules", []):
        parameters = own | schedule.get("parameters", {})
        assert parameters.keys() <= flow.parameters.properties.keys()
        assert validate(parameters, schema) == []
        flow.validate_parameters(parameters)


@every_deployment
def test_a_deployment_is_in_the_queue_of_its_tags(deployment: Deployment) -> None:
    queue = queue_of(deployment)
    of_tags = [QUEUES_OF_TAGS[tag] for tag in deployment["tags"] if tag in QUEUES_OF_TAGS]

    assert queue in {planned.name for planned in QUEUES}
    assert of_tags[-1:] in ([], [queue])


def test_the_queues_have_room_and_the_first_and_the_last_are_not_limited() -> None:
    health, *limited, default = QUEUES
    in_jobs = [d for d in DEPLOYMENTS if queue_of(d) == "jobs"]

    assert [health.limit, default.limit] == [None, None]
    assert {d["entrypoint"] for d in DEPLOYMENTS if queue_of(d) == health.name} == {
        "flows/check_hosts.py:check_hosts"
    }
    [jobs] = [queue.limit for queue in limited if queue.name == "jobs"]
    assert jobs is not None
    assert jobs > len(in_jobs)
    assert [queue.priority for queue in QUEUES] == sorted({queue.priority for queue in QUEUES})
    assert {queue.description for queue in QUEUES} & MADE_BY_PREFECT == set()


def test_what_checks_hosts_often_and_what_measures_all_galleries_is_parked() -> None:
    parked = {
        name_of(d): s.get("interval", s.get("cron"))
        for d in DEPLOYMENTS
        for s in d.get("schedules", [])
        if not s.get("active", True)
    }

    assert parked == {"check-hosts-often": 30, "audit-likeness": "30 4 * * 1"}
