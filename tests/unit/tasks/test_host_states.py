"""Changes, names and rows of checked hosts, without secrets in their addresses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.catalog.servers import servers_of
from storycanvas.catalog.health.checks import GpuGuard, HostCheck, HostQueue, HostState
from storycanvas.catalog.health.report import (
    HealthReport,
    PreviousCheck,
    QueueState,
    changes,
    is_last,
    replacements,
)
from tasks.health.check import host_row
from tasks.health.events import host_resource
from tasks.health.history import previous_checks
from tasks.health.probes import server_probes

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ZERO, SECOND = timedelta(0), timedelta(seconds=1)
KEY = ("comfyui", "gpu-1", "http://gpu-1:8188")


def check(state: HostState, name: str = "gpu-1") -> HostCheck:
    return HostCheck(name=name, kind="comfyui", address=f"http://{name}:8188", state=state)


@pytest.mark.parametrize(
    ("before", "now", "reported"),
    [
        ("up", "up", False),
        ("up", "down", True),
        ("up", "error", True),
        ("up", "starting", True),
        ("down", "up", True),
        ("failed", "up", True),
        ("down", "error", False),
        ("down", "down", False),
    ],
)
def test_a_change_is_going_away_or_coming_back(before: str, now: HostState, reported: bool) -> None:
    found = changes({KEY: PreviousCheck(before, "1")}, [check(now)])

    assert [change.before for change in found] == ([before] if reported else [])


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (("comfyui", "gpu-2", "http://gpu-1:8188"), [check("down")]),
        (("comfyui", "gpu-1", "http://elsewhere:8188"), [check("down")]),
        (("face host", "gpu-1", "http://gpu-1:8188"), [check("down")]),
        (KEY, []),
    ],
    ids=["another name", "another address", "another kind", "no longer checked"],
)
def test_a_host_that_was_not_checked_twice_has_not_changed(
    before: tuple[str, str, str], now: list[HostCheck]
) -> None:
    assert changes({before: PreviousCheck("up", "1")}, now) == ()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("up", "down"), ("up", "up"), [False]),
        (("up", "down"), ("down", "down"), [True]),
        (("up", "down"), ("up", "down"), [True, True]),
        (("down", "up"), ("up", "up"), [False]),
        (("down", "up"), ("down", "down"), [True]),
        (("down", "up"), ("down", "up"), [True, True]),
        (("up", "down"), ("down", "up"), [False, True]),
    ],
    ids=["one of two", "the last", "both", "back to one", "the first", "both back", "in turn"],
)
def test_the_last_host_that_went_and_the_first_that_came_are_known(
    one: tuple[str, HostState], other: tuple[str, HostState], expected: list[bool]
) -> None:
    checks = [check(one[1], "gpu-1"), check(other[1], "gpu-2")]
    another_kind = HostCheck(name="database", kind="mongodb", address="", state="up")
    before = {
        found.key: PreviousCheck(state, "1")
        for found, (state, _) in zip(checks, (one, other), strict=True)
    }
    changed = changes(before, checks)

    found = [is_last(change, [*checks, another_kind], changed) for change in changed]

    assert found == expected


@pytest.mark.parametrize(
    ("shown", "now", "came"),
    [
        ([("gpu-1", "down")], [("gpu-2", "up")], ["gpu-2"]),
        ([("gpu-1", "error"), ("gpu-2", "down")], [("gpu-1", "down"), ("gpu-3", "up")], ["gpu-3"]),
        ([("gpu-1", "down"), ("gpu-2", "up")], [("gpu-3", "up")], []),
        ([("gpu-1", "down")], [("gpu-2", "starting")], []),
        ([("gpu-1", "down")], [("gpu-1", "up")], []),
        ([], [("gpu-2", "up")], []),
    ],
    ids=["moved", "one more", "another was up", "not up yet", "the same", "first check of all"],
)
def test_a_new_host_comes_in_the_place_of_those_that_are_away(
    shown: list[tuple[str, HostState]], now: list[tuple[str, HostState]], came: list[str]
) -> None:
    before = {check(state, name).key: PreviousCheck(state, "1") for name, state in shown}
    before |= {("mongodb", "database", ""): PreviousCheck("up", "1")}
    checks = [check(state, name) for name, state in now]

    found = changes(replacements(before, checks), checks)

    assert [change.check.name for change in found] == came
    assert all(is_last(change, checks, found) for change in found)
    assert all(
        change.sentence.endswith("is up, in the place of what was away.") for change in found
    )


def test_a_change_describes_what_happened() -> None:
    [went] = changes({KEY: PreviousCheck("up", "1")}, [check("down")])
    [came] = changes({KEY: PreviousCheck("error", "1")}, [check("up")])

    assert went.sentence == "gpu-1 (comfyui) is down; it was up."
    assert came.sentence == "gpu-1 (comfyui) is up again; it was error."


ROW = {"kind": "comfyui", "name": "gpu-1", "address": "http://gpu-1:8188", "state": "up"}


def test_states_come_from_whatever_rows_there_are() -> None:
    found = previous_checks([None, 3, "x", [], {}, {"name": "a"}, {"state": "up"}, ROW], "1")

    assert found == {KEY: PreviousCheck("up", "1")}


def test_rows_of_the_history_name_the_check_that_found_them() -> None:
    early, late = (
        previous_checks([ROW | {"checked_at": NOW + wait}])[KEY] for wait in (ZERO, SECOND)
    )

    assert early.check_id != late.check_id


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("GPU box 1", "storycanvas.host.comfyui.gpu-box-1"),
        ("127.0.0.1:9002", "storycanvas.host.comfyui.127-0-0-1-9002"),
        ("显卡", "storycanvas.host.comfyui.0296a21a"),
        ("GPU 显卡", "storycanvas.host.comfyui.gpu-61d946ce"),
    ],
)
def test_an_automation_can_name_every_host(name: str, resource: str) -> None:
    assert host_resource("comfyui", name) == resource


def test_the_next_run_reads_the_table_of_this_run() -> None:
    assert previous_checks([host_row(check("down"))], "1") == {KEY: PreviousCheck("down", "1")}


def test_a_report_names_what_is_not_up() -> None:
    noted = check("down", "gpu-2").model_copy(update={"note": "It is off."})
    report = HealthReport(checked_at=NOW, checks=(check("up"), noted))

    assert report.summary() == "1 of 2 hosts are up; gpu-2 is down."
    assert report.lines() == ["gpu-2 is down. It is off."]


def test_a_report_without_trouble_is_short_and_names_a_gap_of_the_history() -> None:
    report = HealthReport(checked_at=NOW, checks=(check("up"),))

    assert (report.summary(), report.lines()) == ("1 of 1 host is up.", [])
    report = HealthReport(checked_at=NOW, checks=(), history_kept=False)
    assert report.summary() == "0 of 0 hosts are up. The history was not kept."


def test_a_report_survives_json() -> None:
    found = changes({KEY: PreviousCheck("up", "1")}, [check("down")])
    report = HealthReport(checked_at=NOW, checks=(check("down"),), changes=found)

    assert HealthReport.model_validate_json(report.model_dump_json()) == report


def test_servers_of_the_same_name_are_distinguished_by_their_ids() -> None:
    rows = [
        {"id": "1", "name": "gpu", "url": "http://a:1"},
        {"id": "2", "name": "gpu", "url": "http://b:1"},
        {"id": "3", "name": "mongodb", "url": "http://c:1"},
        {"id": "4", "name": "alone", "url": "http://d:1"},
    ]

    names = [probe.name for probe in server_probes(servers_of(rows), ["mongodb"])]

    assert names == ["gpu (1)", "gpu (2)", "mongodb (3)", "alone"]


def test_a_row_without_a_usable_address_is_an_error() -> None:
    rows: list[dict[str, Any]] = [
        {"id": "1", "url": "ftp://user:hunter2@a"},
        {"id": "2", "url": None},
    ]

    probes = server_probes(servers_of(rows), [])

    assert [(probe.name, probe.ask().state) for probe in probes] == [("1", "error"), ("2", "error")]
    assert "hunter2" not in f"{probes[0]}{probes[0].ask()}"


def test_a_row_of_the_table_answers_an_operator() -> None:
    full = HostCheck(
        name="gpu",
        kind="face host",
        address="http://gpu:9002",
        latency_ms=3.14,
        queue=HostQueue(running=1, waiting=4),
        gpu=GpuGuard(slots=2, taken=1, guarded=True),
        free_disk_bytes=12_340_000_000,
    )

    row = host_row(full)

    assert (row["latency"], row["queue"]) == ("3.1 ms", "1 running, 4 waiting")
    assert (row["GPU guard"], row["free disk"]) == ("1 of 2 slots taken", "12.3 GB")


@pytest.mark.parametrize(
    ("guard", "text"),
    [
        (GpuGuard(slots=None, taken=0, guarded=False), "NO LIMIT"),
        (GpuGuard(slots=1, taken=0, guarded=False), "0 of 1 slots taken, SWITCHED OFF"),
    ],
)
def test_a_switched_off_guard_stands_out(guard: GpuGuard, text: str) -> None:
    assert host_row(check("up").model_copy(update={"gpu": guard}))["GPU guard"] == text


@pytest.mark.parametrize(
    ("seconds", "waited"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (200_000, "2 d"), (-5, "0 s")],
)
def test_a_queue_tells_how_long_its_oldest_document_waits(seconds: int, waited: str) -> None:
    oldest = NOW - timedelta(seconds=seconds)
    queue = QueueState(name="faceswap_tasks", waiting=2, processing=0, oldest=oldest)
    empty = QueueState(name="facefusion_jobs", waiting=0, processing=0)
    report = HealthReport(checked_at=NOW, checks=(check("up"),), queues=(empty, queue))

    told = "faceswap_tasks: 2 waiting, 0 processing, the oldest has waited"
    assert report.summary().endswith(f"up. {told} {waited}.")
