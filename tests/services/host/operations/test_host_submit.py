"""`Prefer: respond-async`: an operation is taken at once, found by its id, kept over restarts."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from storycanvas.faces.contract import API, OperationList, OperationStatus
from storycanvas.faces.errors import NoFace
from storycanvas.host.api.requests import preferences
from storycanvas.host.operations.kept_operations import MAX_RESTARTS
from storycanvas.host.operations.records import OperationRecords
from tests.support.host.connections import asked_and_gone
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.pictures import encoded
from tests.support.host.started_host import RECORDING, StartedHost, StartHost, calls, wait_until
from tests.support.host.submitting import ASYNC, read, state_of, submit, submitted, until
from tests.support.host.threaded_host import OpenHost, ThreadedHost, code

KEY = "run-1:step.2_a"


def test_an_operation_is_taken_at_once_and_its_end_is_found(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    picture = host.upload(encoded())
    answer = submit(host, picture)
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "respond-async"
    taken = OperationStatus.model_validate_json(answer.content)
    assert answer.headers["Location"] == f"{API}/operations/{taken.id}"
    assert taken.state in {"waiting", "running"}
    host.engine.began.get(timeout=30)
    running = until(host, taken.id, "running")
    assert (running.phase, running.place, running.result) == ("engine", None, None)
    host.engine.let_through()
    done = until(host, taken.id, "succeeded")
    assert done.phase is None
    assert done.result is not None
    assert done.result.phases is not None
    assert done.result.phases.engine > 0
    assert done.ended_at is not None
    assert done.created_at <= done.ended_at
    assert done.revision > running.revision
    assert host.client.get(f"assets/{done.result.output_path}").status_code == 200


def test_an_operation_is_found_by_its_key_and_none_is_begun(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    by_key = partial(host.client.get, "operations/by-key", headers={"Idempotency-Key": KEY})
    assert code(by_key()) == (404, "operation_not_found")

    taken = submitted(host, host.upload(encoded()), key=KEY)

    assert OperationStatus.model_validate_json(by_key().content).id == taken.id
    host.engine.began.get(timeout=30)
    host.engine.let_through()
    until(host, taken.id, "succeeded")
    assert by_key().json()["state"] == "succeeded"
    assert state_of(host) == "ok"


def test_a_waiting_operation_knows_its_place(open_host: OpenHost) -> None:
    host = open_host(gated=True, queue=8)
    picture = host.upload(encoded())
    first, *others = [submitted(host, picture, age) for age in range(5)]
    host.engine.began.get(timeout=30)
    wait_until(lambda: read(host, others[0].id).phase == "ready")
    assert read(host, first.id).state == "running"
    assert [read(host, other.id).place for other in others] == [1, 2, 3, 4]
    phases = {"ready": 2, "queued": 2}
    wait_until(lambda: Counter(read(host, other.id).phase for other in others) == phases)
    listed = OperationList.model_validate_json(host.client.get("operations").content).operations
    assert [status.id for status in listed] == [first.id, *[other.id for other in others]]
    waiting = host.client.get("operations", params={"state": "waiting"}).json()["operations"]
    assert [status["id"] for status in waiting] == [other.id for other in others]


def test_a_wait_ends_with_the_next_change(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    taken = submitted(host, host.upload(encoded()))
    host.engine.began.get(timeout=30)
    running = until(host, taken.id, "running")
    path, wait = f"operations/{taken.id}", {"wait": "30", "after": str(running.revision)}
    with ThreadPoolExecutor(1) as callers:
        waiting = callers.submit(host.client.get, path, params=wait)
        host.engine.let_through()
        changed = OperationStatus.model_validate_json(waiting.result(20).content)
    assert changed.revision > running.revision
    assert changed.phase == "encoding" or changed.has_ended
    # What has changed since the known revision, or has ended, is answered at once.
    assert read(host, taken.id, wait=30, after=running.revision).revision > running.revision
    assert read(host, until(host, taken.id, "succeeded").id, wait=30).has_ended


def test_the_same_key_is_the_same_operation_however_it_is_asked_for(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    picture = host.upload(encoded())
    synchronous = host.age_meanwhile(picture, key=KEY)
    host.engine.began.get(timeout=30)
    first, second = submitted(host, picture, key=KEY), submitted(host, picture, key=KEY)
    assert first.id == second.id
    assert code(submit(host, picture, 31, KEY)) == (422, "idempotency_key_reused")
    host.engine.let_through()
    done = until(host, first.id, "succeeded")
    assert host.age(picture, key=KEY).content == synchronous.result().content
    again = submitted(host, picture, key=KEY)
    assert (again.id, again.state, again.result) == (first.id, "succeeded", done.result)
    assert code(submit(host, picture, 31, KEY)) == (422, "idempotency_key_reused")
    assert len(host.engine.calls) == 1


def test_a_result_that_was_answered_before_is_found_by_its_key(open_host: OpenHost) -> None:
    host = open_host()
    picture = host.upload(encoded())
    answer = host.age(picture, key=KEY).json()
    found = submitted(host, picture, key=KEY)
    assert found.state == "succeeded"
    assert found.result is not None
    assert found.result.output_path == answer["output_path"]
    assert len(host.engine.calls) == 1


def test_a_failure_is_told_and_its_key_can_be_used_again(open_host: OpenHost) -> None:
    failures: dict[int, Exception] = {30: NoFace("The picture shows no face.")}
    host = open_host(GatedEngine(fails_at=failures))
    picture = host.upload(encoded())
    failed = until(host, submitted(host, picture, key=KEY).id, "failed")
    assert failed.error is not None
    assert (failed.error.code, failed.error.retryable) == ("no_face", False)
    failures.clear()
    again = submitted(host, picture, key=KEY)
    assert again.id == failed.id
    assert until(host, again.id, "succeeded").result


@pytest.mark.parametrize(
    ("prefer", "status"),
    [("respond-async", 202), ("Respond-Async; x=1, wait=5", 202), ("wait=9", 200), ("", 200),
     ('note="respond-async"', 200)],
)  # fmt: skip
def test_only_the_preference_itself_is_applied(
    host: ThreadedHost, picture: str, prefer: str, status: int
) -> None:
    body = {"source_path": picture, "face_editor_age": 31}
    answer = host.client.post("adjust-face", json=body, headers={"Prefer": prefer})
    assert answer.status_code == status
    assert ("Preference-Applied" in answer.headers) is (status == 202)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["respond-async, wait=10"], {"respond-async": "", "wait": "10"}),
        (["respond-async", "WAIT=10"], {"respond-async": "", "wait": "10"}),
        (['a="x, respond-async"; p=1 , b = 2'], {"a": "x, respond-async", "b": "2"}),
        (["wait=1, wait=2"], {"wait": "1"}),
        ([], {}), ([""], {}), ([",,;="], {}),
    ],
)  # fmt: skip
def test_preferences_are_read_as_rfc_7240_says(
    headers: list[str], expected: dict[str, str]
) -> None:
    assert preferences(headers) == expected


def test_what_cannot_be_taken_is_refused_at_once(open_host: OpenHost) -> None:
    host = open_host(gated=True, queue=1)
    picture = host.upload(encoded())
    missing = f"asset:{'0' * 64}.png"
    assert code(submit(host, missing)) == (404, "picture_not_found")
    taken = [submitted(host, picture, age) for age in range(2)]
    refused = submit(host, picture, 9)
    assert code(refused) == (429, "queue_full")
    assert int(refused.headers["Retry-After"]) >= 1
    assert len(host.client.get("operations").json()["operations"]) == len(taken)


@pytest.mark.parametrize("name", ["0" * 32, "..", "secret", "%2e%2e%2fsecret", "x" * 300, "A" * 32])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_id_is_not_found(host: ThreadedHost, name: str, method: str) -> None:
    answer = host.client.request(method, f"operations/{name}")
    assert answer.status_code in {404, 405}  # of `..` httpx makes the list's path


@pytest.mark.parametrize(
    "query", ["wait=-1", "wait=61", "wait=nan", "wait=x", "after=0", "after=x"]
)
def test_a_wait_out_of_its_range_is_refused(host: ThreadedHost, query: str) -> None:
    answer = host.client.get(f"operations/{'0' * 32}?{query}")
    assert code(answer)[0] in {400, 422}


def test_an_id_is_another_one_for_another_token(tmp_path: Path) -> None:
    records = OperationRecords(tmp_path)
    assert records.id_of("anna", KEY) == OperationRecords(tmp_path).id_of("anna", KEY)
    assert len({records.id_of(owner, KEY) for owner in ("", "anna", "ben")}) == 3
    assert records.id_of("anna", KEY) != OperationRecords(tmp_path / "other").id_of("anna", KEY)
    assert len({records.id_of("anna", None) for _ in range(100)}) == 100


def test_an_operation_whose_client_has_gone_before_it_began_is_dropped(
    open_host: OpenHost,
) -> None:
    host = open_host(gated=True, queue=4)
    picture = host.upload(encoded())
    running = host.age_meanwhile(picture)
    host.engine.began.get(timeout=30)
    body = {"source_path": picture, "face_editor_age": 40}
    with (
        asked_and_gone(host.url, "adjust-face", body),
        asked_and_gone(host.url, "adjust-face", body, "kept"),
    ):
        wait_until(lambda: host.status()["queued"] == 2)
    wait_until(lambda: host.status()["queued"] == 1)
    host.engine.let_through(2)
    assert running.result().status_code == 200
    wait_until(lambda: host.status()["operations"] == 2)
    assert host.age(picture, 40, "kept").status_code == 200
    assert len(host.engine.calls) == 2


def test_the_time_to_come_back_follows_from_the_queue(open_host: OpenHost) -> None:
    host = open_host(gated=True, queue=4)
    picture = host.upload(encoded())
    waiting = [submitted(host, picture, age) for age in range(5)]
    refused = submit(host, picture, 9)
    assert "4 wait already" in refused.json()["error"]["message"]
    assert int(refused.headers["Retry-After"]) == len(waiting)  # of a second each, before the first


def recording(start_host: StartHost, tmp_path: Path) -> StartedHost:
    return start_host(program=(*RECORDING, str(tmp_path)))


def test_what_was_taken_is_done_once_over_a_kill(start_host: StartHost, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    host = recording(start_host, tmp_path)
    picture = host.upload(encoded())
    running, waiting = submitted(host, picture, 30, "first"), submitted(host, picture, 40)
    wait_until(lambda: calls(tmp_path) == 1)
    host.kill()
    (tmp_path / "gate").unlink()
    again = recording(start_host, tmp_path)
    for operation in (running, waiting):
        done = until(again, operation.id, "succeeded")
        assert done.result is not None
        assert again.client.get(f"assets/{done.result.output_path}").status_code == 200
    assert submitted(again, picture, 30, "first").id == running.id
    assert calls(tmp_path) == 3  # the killed one, itself once more, and the one that waited


def test_a_result_is_found_after_a_kill_without_a_second_operation(
    start_host: StartHost, tmp_path: Path
) -> None:
    host = recording(start_host, tmp_path)
    picture = host.upload(encoded())
    done = until(host, submitted(host, picture, key=KEY).id, "succeeded")
    host.kill()
    again = recording(start_host, tmp_path)
    assert read(again, done.id) == done
    assert again.client.get(f"assets/{done.result and done.result.output_path}").status_code == 200
    assert submitted(again, picture, key=KEY).result == done.result
    assert calls(tmp_path) == 1
    assert [
        s["id"] for s in again.client.get("operations?state=succeeded").json()["operations"]
    ] == [done.id]


def test_a_stop_leaves_what_waits_to_the_next_start(start_host: StartHost, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    host = recording(start_host, tmp_path)
    picture = host.upload(encoded())
    running, waiting = submitted(host, picture, 30), submitted(host, picture, 40)
    wait_until(lambda: calls(tmp_path) == 1)
    host.process.terminate()
    wait_until(lambda: state_of(host) == "stopping")
    assert read(host, waiting.id).state == "waiting"
    (tmp_path / "gate").write_bytes(b"")
    (tmp_path / "gate").unlink()
    host.end()
    again = recording(start_host, tmp_path)
    assert read(again, running.id).state == "succeeded"
    until(again, waiting.id, "succeeded")
    assert calls(tmp_path) == 2


def test_an_operation_that_kills_its_host_is_given_up(open_host: OpenHost, tmp_path: Path) -> None:
    first = open_host(gated=True)
    picture = first.upload(encoded())
    taken = submitted(first, picture)
    first.engine.let_through()
    until(first, taken.id, "succeeded")
    records = OperationRecords(tmp_path / "data" / "operations")
    record = records.find(taken.id, "")
    assert record is not None
    request = {"source_path": picture, "face_editor_age": 30}
    open_again = {"ended": None, "body": None, "restarts": MAX_RESTARTS, "request": request}
    records.keep(record.model_copy(update=open_again))
    records.keep(record.model_copy(update=open_again | {"id": "0" * 32, "request": {}}))
    second = open_host()
    failed, unread = until(second, taken.id, "failed"), until(second, "0" * 32, "failed")
    assert failed.error is not None
    assert f"begun {MAX_RESTARTS + 1} times" in failed.error.message
    assert unread.error is not None
    assert second.engine.calls == []


def test_a_lost_connection_costs_nothing(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    picture = host.upload(encoded())
    with httpx.Client(base_url=f"{host.url}{API}/") as other:
        body = {"source_path": picture, "face_editor_age": 30}
        taken = other.post("adjust-face", json=body, headers=ASYNC).json()
    host.engine.let_through()
    assert until(host, taken["id"], "succeeded").result
