import json
import logging
import os
import time
from pathlib import Path

import pytest

from storycanvas.faces.errors import IdempotencyKeyReused, NoFace
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.host.operations.results import ResultStore
from storycanvas.host.settings import DAY_SECONDS
from storycanvas.host.storage.assets import AssetStore
from tests.support.host.connections import asked_and_gone
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.pictures import encoded
from tests.support.host.started_host import wait_until
from tests.support.host.submitting import submitted, until
from tests.support.host.threaded_host import OpenHost, ThreadedHost, code

KEY = "run-1:step.2_a"
BODY = '{"success": true}'


def test_the_same_key_answers_the_very_same_body(host: ThreadedHost, picture: str) -> None:
    calls = len(host.engine.calls)
    first, second = host.age(picture, key="twice"), host.age(picture, key="twice")
    assert first.status_code == 200
    assert first.content == second.content
    assert len(host.engine.calls) == calls + 1


def test_without_a_key_an_operation_just_runs(host: ThreadedHost, picture: str) -> None:
    calls = len(host.engine.calls)
    host.age(picture)
    host.age(picture)
    assert len(host.engine.calls) == calls + 2


def test_defaults_spelled_out_are_the_same_request(host: ThreadedHost, picture: str) -> None:
    headers = {"Idempotency-Key": "spelled-out"}
    body = {"source_path": picture, "face_editor_age": 40}
    first = host.client.post("adjust-face", json=body, headers=headers)
    second = host.client.post("adjust-face", json=body | {"face_editor_blend": 1}, headers=headers)
    assert first.content == second.content


def test_a_request_is_the_same_with_and_without_a_measure(host: ThreadedHost, picture: str) -> None:
    headers = {"Idempotency-Key": "measured"}
    body = {"source_path": picture, "face_editor_age": 40}
    first = host.client.post("adjust-face", json=body | {"measure": False}, headers=headers)
    second = host.client.post("adjust-face", json=body, headers=headers)
    assert first.status_code == 200
    assert first.content == second.content


@pytest.mark.parametrize("path", ["mask-face", "detect-faces"])
def test_what_changes_no_face_takes_no_measure(host: ThreadedHost, picture: str, path: str) -> None:
    answer = host.client.post(path, json={"source_path": picture, "measure": False})
    assert code(answer) == (400, "bad_field")


def test_a_key_is_joined_while_its_operation_runs(open_host: OpenHost) -> None:
    host = open_host(gated=True, queue=0)
    picture = host.upload(encoded())
    answers = [host.age_meanwhile(picture, key=KEY) for _ in range(5)]
    host.engine.began.get(timeout=30)
    answers += [host.age_meanwhile(picture, key=KEY) for _ in range(5)]
    host.engine.let_through(10)
    assert len({answer.result().content for answer in answers}) == 1
    assert answers[0].result().status_code == 200
    assert len(host.engine.calls) == 1


def test_a_key_stands_for_one_request_running_or_done(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    picture = host.upload(encoded())
    running = host.age_meanwhile(picture, 30, KEY)
    host.engine.began.get(timeout=30)
    assert code(host.age(picture, 31, KEY)) == (422, "idempotency_key_reused")
    host.engine.let_through()
    assert running.result().status_code == 200
    assert code(host.age(picture, 31, KEY)) == (422, "idempotency_key_reused")
    detect = host.client.post(
        "detect-faces", json={"source_path": picture}, headers={"Idempotency-Key": KEY}
    )
    assert code(detect) == (422, "idempotency_key_reused")
    assert len(host.engine.calls) == 1


def test_a_failure_is_not_kept(open_host: OpenHost) -> None:
    failures: dict[int, Exception] = {30: NoFace("The picture shows no face.")}
    engine = GatedEngine(fails_at=failures)
    host = open_host(engine)
    picture = host.upload(encoded())
    assert code(host.age(picture, key=KEY)) == (422, "no_face")
    failures.clear()
    assert host.age(picture, key=KEY).status_code == 200
    assert len(engine.calls) == 2


def test_a_result_that_cannot_be_kept_is_an_error(
    open_host: OpenHost, caplog: pytest.LogCaptureFixture
) -> None:
    host = open_host()
    picture = host.upload(encoded())
    (host.data_dir / "results").rmdir()
    answer = host.age(picture, key=KEY)
    assert code(answer) == (503, "not_ready")  # a folder that is gone may be mounted again
    assert str(host.data_dir) not in answer.text
    assert "No such file or directory" in caplog.text


def test_an_operation_outlives_the_request_that_asked_for_it(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    picture = host.upload(encoded())
    body = {"source_path": picture, "face_editor_age": 30}
    with asked_and_gone(host.url, "adjust-face", body, KEY):
        host.engine.began.get(timeout=30)
    host.engine.let_through()
    wait_until(lambda: host.status()["busy"] == 0)
    assert host.age(picture, key=KEY).status_code == 200
    assert len(host.engine.calls) == 1


def test_an_operation_without_a_key_outlives_its_request_too(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    body = {"source_path": host.upload(encoded(size=(9, 9))), "face_editor_age": 30}
    with asked_and_gone(host.url, "adjust-face", body):
        host.engine.began.get(timeout=30)
    host.engine.let_through()
    output = host.data_dir / "assets" / read_picture(encoded(size=(9, 9)), "sent").asset_name
    wait_until(output.exists)


def test_a_result_that_came_too_late_is_kept_all_the_same(open_host: OpenHost) -> None:
    host = open_host(gated=True, operation_seconds=0.05)
    picture = host.upload(encoded())
    assert code(host.age(picture, key=KEY)) == (504, "timed_out")
    assert code(host.age(picture, key=KEY)) == (504, "timed_out")
    host.engine.let_through()
    wait_until(lambda: host.status()["busy"] == 0)
    assert host.age(picture, key=KEY).status_code == 200
    assert len(host.engine.calls) == 1


@pytest.mark.parametrize("key", ["a b", "a/b", "../a", "ü", "x" * 201, "", "a,b"])
def test_a_key_of_another_form_is_refused(host: ThreadedHost, picture: str, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode()}
    body = {"source_path": picture, "face_editor_age": 30}
    answer = host.client.post("adjust-face", json=body, headers=headers)
    assert code(answer) == (400, "bad_field")
    assert "Idempotency-Key" in answer.json()["error"]["message"]


def test_the_longest_key_is_taken(host: ThreadedHost, picture: str) -> None:
    assert host.age(picture, key="x" * 200).status_code == 200


def test_a_kept_result_is_found_by_another_store_on_the_same_folder(tmp_path: Path) -> None:
    ResultStore(tmp_path).keep(KEY, "fingerprint", BODY)
    assert ResultStore(tmp_path).find(KEY, "fingerprint") == BODY
    with pytest.raises(IdempotencyKeyReused):
        ResultStore(tmp_path).find(KEY, "another")


@pytest.mark.parametrize(
    "damaged",
    [
        b"", b"{", bytes(100), b"[]", b"null", b'{"fingerprint": "fingerprint"}',
        b'{"fingerprint": "fingerprint", "body": {}}',
        b'{"fingerprint": "fingerprint", "body": "{"}',
        b'{"fingerprint": "fingerprint", "body": "[]"}', b"\xff\xfe",
    ],
    ids=range(10),
)  # fmt: skip
def test_an_unreadable_result_does_not_block_its_key(tmp_path: Path, damaged: bytes) -> None:
    store = ResultStore(tmp_path)
    store.keep(KEY, "fingerprint", BODY)
    next(tmp_path.iterdir()).write_bytes(damaged)
    assert store.find(KEY, "fingerprint") is None
    store.keep(KEY, "fingerprint", BODY)
    assert store.find(KEY, "fingerprint") == BODY


def test_a_result_of_a_newer_version_is_answered_as_it_is(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    newer = '{"success": true, "later_field": 1}'
    store.keep(KEY, "fingerprint", newer)
    path = next(tmp_path.iterdir())
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 9}))
    assert store.find(KEY, "fingerprint") == newer


def made_older(folder: Path, seconds: float) -> None:
    then = time.time() - seconds
    for path in folder.iterdir():
        os.utime(path, (then, then))


def test_results_of_the_last_day_are_never_removed(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    store.keep("old", "fingerprint", BODY)
    made_older(tmp_path, DAY_SECONDS + 60)
    store.keep("young", "fingerprint", BODY)
    os.utime(store_file(tmp_path, "young"), (time.time() - DAY_SECONDS + 60,) * 2)
    assert store.remove_older(DAY_SECONDS) == 1
    assert store.find("old", "fingerprint") is None
    assert store.find("young", "fingerprint") == BODY


def store_file(folder: Path, key: str) -> Path:
    return next(path for path in folder.iterdir() if f'"{key}"' in path.read_text())


def test_a_picture_that_is_still_asked_for_stays(tmp_path: Path) -> None:
    store = AssetStore(tmp_path, 10**9)
    with store.incoming() as incoming:
        incoming.write(encoded())
        name = store.keep(incoming)
    made_older(tmp_path, DAY_SECONDS)
    store.find(name)
    assert store.remove_older(DAY_SECONDS) == 0


def test_old_results_are_removed_when_a_host_starts(open_host: OpenHost, tmp_path: Path) -> None:
    results = tmp_path / "data" / "results"
    ResultStore(results).keep(KEY, "fingerprint", BODY)
    made_older(results, DAY_SECONDS + 60)
    open_host()
    wait_until(lambda: not list(results.iterdir()))


def test_an_ended_operation_is_found_for_a_day(open_host: OpenHost, tmp_path: Path) -> None:
    first = open_host()
    picture = first.upload(encoded())
    old, young = (submitted(first, picture, age).id for age in (30, 40))
    for known in (old, young):
        until(first, known, "succeeded")
    folder = tmp_path / "data" / "operations"
    for known, seconds in ((old, DAY_SECONDS + 60), (young, DAY_SECONDS - 60)):
        os.utime(folder / f"{known}.json", (time.time() - seconds,) * 2)
    again = open_host()
    wait_until(lambda: not (folder / f"{old}.json").exists())
    assert code(again.client.get(f"operations/{old}")) == (404, "operation_not_found")
    assert again.client.get(f"operations/{young}").json()["state"] == "succeeded"


@pytest.mark.parametrize(("keep_hours", "left"), [(24, 0), (48, 1)])
def test_a_picture_is_kept_for_so_many_hours_after_its_last_use(
    open_host: OpenHost,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    keep_hours: int,
    left: int,
) -> None:
    caplog.set_level(logging.INFO)
    folder = tmp_path / "data" / "assets"
    AssetStore(folder, 10**9).add(read_picture(encoded(), "unused"))
    made_older(folder, 30 * 3600)
    open_host(keep_hours=keep_hours)
    wait_until(lambda: f"and {1 - left} old pictures" in caplog.text)
    assert len(list(folder.glob("*.png"))) == left
