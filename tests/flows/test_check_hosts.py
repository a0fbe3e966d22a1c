"""The flow check-hosts: what it finds, keeps, shows and emits on real services."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client

from blocks.environment import Environment
from flows.check_hosts import check_hosts
from storycanvas.catalog.health.report import HealthReport
from storycanvas.services.mongod import Mongod
from storycanvas.services.ports import choose_port
from storycanvas.services.shared import acquire
from tasks.health import history
from tasks.health.check import collect_hosts
from tasks.health.events import LAST
from tasks.health.history import PICTURE_KEY, TABLE_KEY
from tests.support.catalog.comfyui_server import COMFYUI, JsonServer, json_server
from tests.support.flows.runs import forget, kept, shown_by
from tests.support.flows.world import World

EVENTS_SECONDS = 60


@pytest.fixture
def comfyui(world: World) -> Iterator[JsonServer]:
    """A ComfyUI server that the database names, with a key."""
    with json_server(COMFYUI) as server:
        row = {
            "id": "s1",
            "name": f"gpu-{server.url[-5:]}",
            "url": server.url,
            "api_key": "hunter2",
        }
        world.database["comfyui_servers"].insert_one({**row, "is_active": True})
        yield server


@pytest.fixture(autouse=True)
def _first_check(only_user_of_artifact_keys: None) -> None:  # noqa: ARG001 - it keeps others out
    """No earlier run has shown anything."""
    forget(TABLE_KEY, PICTURE_KEY)


def states(report: HealthReport) -> dict[str, str]:
    return {check.kind: check.state for check in report.checks}


def events(name: str) -> list[dict[str, Any]]:
    """Events of a host, the oldest first."""
    wanted = {"resource": {"id_prefix": [f"storycanvas.host.comfyui.{name}"]}, "order": "ASC"}
    with get_client(sync_client=True) as client:
        answer = client.request("POST", "/events/filter", json={"filter": wanted, "limit": 50})
        found: list[dict[str, Any]] = answer.json()["events"]
        return found


def arrived(name: str, count: int) -> list[dict[str, Any]]:
    """Events of a host, as soon as there are so many: the server takes them at its leisure."""
    end = time.monotonic() + EVENTS_SECONDS
    while len(found := events(name)) < count and time.monotonic() < end:
        time.sleep(0.1)
    return found


def test_every_kind_of_host_is_checked_kept_and_shown(world: World, comfyui: JsonServer) -> None:
    state = check_hosts(return_state=True)

    name, artifacts = shown_by(state)
    report = state.result()
    assert state.is_completed()
    assert state.message == report.summary()
    assert name == "check-hosts"
    assert states(report) == dict.fromkeys(["face host", "image store", "mongodb", "comfyui"], "up")
    assert report.changes == ()
    stored = {row["kind"]: row for row in world.database["host_checks"].find()}
    assert stored.keys() == states(report).keys()
    assert {row["is_up"] for row in stored.values()} == {True}
    assert stored["comfyui"]["queue"] == {"running": 1, "waiting": 2}
    assert stored["face host"]["gpu"] == {"slots": 1, "taken": 0, "guarded": True}
    table, picture = artifacts["check-hosts"][0], artifacts["check-hosts-last-day"][0]
    assert (table.type, picture.type) == ("table", "markdown")
    assert comfyui.url in table.data
    assert "data:image/png;base64,iVBOR" in picture.data
    assert artifacts["check-hosts-progress"][0].data == 100
    assert "hunter2" not in f"{report}{table.data}{[*stored.values()]}"


@pytest.mark.usefixtures("comfyui")
def test_the_queues_that_hold_work_are_told(world: World) -> None:
    waiting = {"created_at": datetime.now(UTC) - timedelta(minutes=7, seconds=30)}
    world.database["facefusion_jobs"].insert_many(
        [
            {"id": "1", "status": "queued", **waiting},
            {"id": "2", "status": "queued", "created_at": "once"},
            {"id": "3", "status": "processing"},
            {"id": "4", "status": "completed"},
        ]
    )

    state = check_hosts(return_state=True)

    table = shown_by(state)[1][history.QUEUES_KEY][0]
    sentence = "facefusion_jobs: 2 waiting, 1 processing, the oldest has waited 7 min."
    assert (state.message or "").endswith(sentence)
    assert [queue.name for queue in state.result().queues] == ["facefusion_jobs", "faceswap_tasks"]
    assert '"waiting": 2, "processing": 1' in table.data


@pytest.mark.usefixtures("world")
def test_what_a_run_shows_is_deleted_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(history.PROGRESS_KEY, history.QUEUES_KEY)
    check_hosts()
    between = datetime.now(UTC)
    newest = check_hosts(return_state=True)

    history.drop_looks_before(between)

    _, shown = shown_by(newest)
    keys = (TABLE_KEY, history.QUEUES_KEY, history.PROGRESS_KEY)
    assert {artifact.id for artifact in kept(*keys)} == {shown[key][0].id for key in keys}
    monkeypatch.setattr(history, "LOOKS_KEPT", timedelta(0))
    check_hosts()
    assert kept(*keys) == []


def test_going_away_and_coming_back_are_events_and_each_change_has_a_new_picture(
    comfyui: JsonServer,
) -> None:
    name, up = f"gpu-{comfyui.url[-5:]}", COMFYUI["/system_stats"]
    changes, pictures = [], []
    for answer in (up, 503, b"<html>", up):
        comfyui.answers["/system_stats"] = answer
        state = check_hosts(return_state=True)
        changes.append(len(state.result().changes))
        pictures.append([row.id for row in shown_by(state)[1].get(PICTURE_KEY, [])])

    found = arrived(name, 2)

    assert changes == [0, 1, 0, 1]
    assert [len(ids) for ids in pictures] == [1, 1, 0, 1]
    assert [artifact.id for artifact in kept(PICTURE_KEY)] == pictures[-1]
    assert [event["event"] for event in found] == ["storycanvas.host.down", "storycanvas.host.up"]
    assert found[0]["resource"]["prefect.resource.name"] == name
    assert {event["resource"][LAST] for event in found} == {"true"}  # there is no other ComfyUI
    assert found[0]["payload"]["before"] == "up"
    assert found[0]["payload"]["state"] == "error"
    assert found[0]["payload"]["address"] == comfyui.url


@flow
def stopped_before_it_shows() -> HealthReport:
    report, _ = collect_hosts(Environment())
    return report


@pytest.mark.usefixtures("world")
def test_a_change_is_one_event_although_runs_overlap_or_are_killed(comfyui: JsonServer) -> None:
    name = f"gpu-{comfyui.url[-5:]}"
    check_hosts()
    comfyui.answers["/system_stats"] = 503
    killed, overlapping = stopped_before_it_shows(), stopped_before_it_shows()
    shown = check_hosts()
    comfyui.answers["/system_stats"] = COMFYUI["/system_stats"]
    check_hosts()

    found = arrived(name, 2)

    assert [len(report.changes) for report in (killed, overlapping, shown)] == [1, 1, 1]
    assert [event["event"] for event in found] == ["storycanvas.host.down", "storycanvas.host.up"]


@pytest.mark.usefixtures("comfyui")
def test_the_last_check_is_found_in_the_history_when_no_table_is_shown(world: World) -> None:
    server = world.database["comfyui_servers"].find_one({"id": "s1"}) or {}
    before = {"kind": "comfyui", "name": server["name"], "address": server["url"]}
    moment = datetime.now(UTC) - timedelta(minutes=1)
    world.database["host_checks"].insert_one(
        {**before, "state": "down", "is_up": False, "checked_at": moment}
    )

    report = check_hosts()

    assert [(change.before, change.check.state) for change in report.changes] == [("down", "up")]


@pytest.mark.usefixtures("comfyui")
def test_a_history_that_refuses_checks_is_a_warning_and_the_rest_is_reported(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.database.create_collection("host_checks", validator={"nothing": {"$exists": True}})

    report = check_hosts()

    assert set(states(report).values()) == {"up"}
    assert not report.history_kept
    assert "A check was not kept" in caplog.text


def test_without_the_database_everything_else_is_reported(
    world: World, comfyui: JsonServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFYUI_URLS", comfyui.url)
    monkeypatch.setenv("MONGO_URL", f"mongodb://user:hunter2@127.0.0.1:{choose_port([])}/")

    state = check_hosts(return_state=True)

    report = state.result()
    _, artifacts = shown_by(state)
    assert state.is_completed()
    assert states(report) == {
        "face host": "up",
        "image store": "up",
        "mongodb": "down",
        "comfyui": "up",
    }
    assert not report.history_kept
    assert PICTURE_KEY not in artifacts
    assert "hunter2" not in f"{report}{artifacts['check-hosts'][0].data}"
    assert "host_checks" not in world.database.list_collection_names()


@pytest.mark.usefixtures("world")
def test_the_going_of_the_database_is_noticed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with acquire(Mongod(standalone=True), tmp_path / "own") as lease:
        monkeypatch.setenv("MONGO_URL", lease.url)
        check_hosts()

    went, still = check_hosts(), check_hosts()

    assert [(change.before, change.check.kind) for change in went.changes] == [("up", "mongodb")]
    assert still.changes == ()


def test_a_server_that_hangs_is_down_and_fails_nothing(comfyui: JsonServer) -> None:
    comfyui.silent.set()

    state = check_hosts(return_state=True)

    assert state.is_completed()
    assert states(state.result())["comfyui"] == "down"


@pytest.mark.usefixtures("world")
def test_a_configuration_of_no_use_is_a_host_in_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFUSION_URL", "http://user:hunter2@gpu")
    monkeypatch.setenv("IMAGE_STORE", "nothing://there")

    report = check_hosts()

    assert states(report) == {"face host": "error", "image store": "error", "mongodb": "up"}
    assert "hunter2" not in f"{report}"


@pytest.mark.usefixtures("world")
def test_without_rows_the_servers_of_the_environment_are_checked(
    comfyui: JsonServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.database["comfyui_servers"].delete_many({})
    monkeypatch.setenv("COMFYUI_URLS", f"{comfyui.url}/, ,{comfyui.url}/,ftp://x")

    report = check_hosts()

    found = [(check.address, check.state) for check in report.checks if check.kind == "comfyui"]
    assert found == [(comfyui.url, "up"), ("", "error")]
