"""When it is told that Prefect's scheduler plans nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storycanvas.services.flow_runs import ApiPath, idle_schedules, idle_sentence

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
CRON = {"cron": "0 3 * * *", "timezone": "UTC"}


def deployment(seconds_ago: float = 3600.0, **changed: Any) -> dict[str, Any]:
    updated = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    schedule = {"active": True, "schedule": CRON, "updated": updated}
    changes = {name: changed.pop(name) for name in list(changed) if name in {"active", "schedule"}}
    return {
        "id": "1",
        "name": "audit-db",
        "paused": False,
        "updated": updated,
        "schedules": [schedule | changes],
        **changed,
    }


@pytest.mark.parametrize(
    ("found", "planned", "expected"),
    [
        (deployment(), 0, ["audit-db"]),
        (deployment(schedule={"interval": 300.0}), 0, ["audit-db"]),
        (deployment(), 3, []),
        (deployment(seconds_ago=20), 0, []),
        (deployment(paused=True), 0, []),
        (deployment(active=False), 0, []),
        (deployment(schedule={"rrule": "FREQ=DAILY;COUNT=1"}), 0, []),
        (deployment(schedules=[]), 0, []),
        (deployment(), None, []),
    ],
    ids=[
        "nothing planned",
        "nothing planned for an interval",
        "planned",
        "registered just now",
        "a paused deployment",
        "a schedule that is off",
        "a rule that may have ended",
        "without a schedule",
        "no answer",
    ],
)
def test_deployments_without_a_planned_run_are_named(
    found: dict[str, Any], planned: int | None, expected: list[str]
) -> None:
    def post(path: ApiPath, _body: dict[str, Any]) -> object:
        return [found] if path == "/deployments/filter" else planned

    assert idle_schedules(post, NOW) == expected


def test_a_server_that_does_not_answer_names_none() -> None:
    assert idle_schedules(lambda *_: None, NOW) == []


def test_the_sentence_names_the_deployments_and_where_the_reason_stands() -> None:
    sentence = idle_sentence(["audit-db", "check-hosts"])

    assert "plans no run of audit-db, check-hosts" in sentence
    assert "server's log" in sentence
