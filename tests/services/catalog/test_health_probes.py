"""Probes of real servers: their answers, and the names of their failures."""

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.database import Database

from blocks.face_host import FaceHost
from blocks.limits import create_limit
from blocks.story_database import StoryDatabase
from storycanvas.catalog.health.checks import Answer, GpuGuard, HostQueue, Probe
from storycanvas.catalog.health.parallel import Round
from storycanvas.catalog.health.probes import ask_comfyui, ask_image_store, ask_runpod
from storycanvas.services.ports import choose_port
from tasks.health.history import last_day
from tasks.health.probes import ask_database, ask_face_host, checked_database
from tests.support.catalog.comfyui_server import COMFYUI, JsonServer, json_server

Data = Database[dict[str, Any]]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def comfyui() -> Iterator[JsonServer]:
    with json_server(COMFYUI) as server:
        yield server


def checked(ask: Callable[[], Answer], name: str = "host") -> Probe:
    return Probe(name, "comfyui", "http://host", ask)


def fault() -> Answer:
    text = "secret"  # not in the line that a traceback quotes
    raise ZeroDivisionError(text)


def test_a_comfyui_server_reports_its_version_and_its_queue(comfyui: JsonServer) -> None:
    answer = ask_comfyui(comfyui.url)

    assert (answer.state, answer.version) == ("up", "0.3.60")
    assert answer.queue == HostQueue(running=1, waiting=2)
    assert answer.latency_ms is not None
    assert answer.note is None


def test_a_comfyui_server_is_sent_its_key_and_the_token_of_its_address(
    comfyui: JsonServer,
) -> None:
    comfyui.answers |= {f"{path}?token=hunter2": row for path, row in COMFYUI.items()}

    answer = ask_comfyui(f"{comfyui.url}/?token=hunter2", "key-1")

    assert (answer.state, answer.queue) == ("up", HostQueue(running=1, waiting=2))
    sent = {path: headers["Authorization"] for path, headers in comfyui.asked.items()}
    assert sent == {f"{path}?token=hunter2": "Bearer key-1" for path in COMFYUI}


@pytest.mark.parametrize(
    "stats",
    [None, [], {}, {"system": []}, b"<html>", b'{"system": {', 404, 401, 503, 302],
    ids=str,
)
def test_an_answer_that_is_not_comfyuis_is_an_error(comfyui: JsonServer, stats: object) -> None:
    comfyui.answers["/system_stats"] = stats

    answer = ask_comfyui(comfyui.url)

    assert answer.state == "error"
    assert answer.note
    assert answer.latency_ms is None


@pytest.mark.parametrize(
    "queue",
    [None, [], {}, {"queue_running": 1}, {"queue_running": {}, "queue_pending": []}, b"x", 500],
    ids=str,
)
def test_a_comfyui_server_with_an_odd_queue_is_up(comfyui: JsonServer, queue: object) -> None:
    comfyui.answers["/queue"] = queue

    answer = ask_comfyui(comfyui.url)

    assert (answer.state, answer.queue) == ("up", None)


@pytest.mark.parametrize("version", [None, 3, ["0.3"]], ids=str)
def test_a_version_that_is_no_text_is_unknown(comfyui: JsonServer, version: object) -> None:
    comfyui.answers["/system_stats"] = {"system": {"comfyui_version": version}}

    answer = ask_comfyui(comfyui.url)

    assert (answer.state, answer.version) == ("up", None)


def test_a_server_that_is_off_is_down_and_its_password_is_not_shown() -> None:
    answer = ask_comfyui(f"http://user:hunter2@127.0.0.1:{choose_port([])}?key=hunter2")

    assert answer.state == "down"
    assert "127.0.0.1" in str(answer.note)
    assert "hunter2" not in str(answer.note)


def test_a_runpod_endpoint_reports_its_jobs_and_is_sent_the_key(comfyui: JsonServer) -> None:
    health = {"jobs": {"inProgress": 2, "inQueue": 5, "completed": 9}, "workers": {"idle": 1}}
    comfyui.answers["/v2/abc/health"] = health

    answer = ask_runpod(f"{comfyui.url}/v2/abc/run", "key-1", None)

    assert (answer.state, answer.queue) == ("up", HostQueue(running=2, waiting=5))
    assert comfyui.asked["/v2/abc/health"]["Authorization"] == "Bearer key-1"


@pytest.mark.parametrize(
    ("endpoint", "health", "state"),
    [
        ("abc", 401, "error"),
        ("abc", b"<html>", "error"),
        ("abc", [], "error"),
        (None, {"jobs": {}}, "error"),
        ("abc", {"jobs": {"inQueue": None}, "workers": {"idle": 1}}, "up"),
    ],
    ids=str,
)
def test_a_useless_runpod_endpoint_has_a_reason(
    comfyui: JsonServer, endpoint: str | None, health: object, state: str
) -> None:
    comfyui.answers["/v2/abc/health"] = health

    answer = ask_runpod(comfyui.url, "key-1", endpoint)

    assert (answer.state, answer.queue) == (state, None)
    assert "key-1" not in str(answer.note)


def test_a_folder_reports_the_room_on_its_disk(tmp_path: Path) -> None:
    answer = ask_image_store(tmp_path.as_uri())

    assert (answer.state, answer.note) == ("up", None)
    assert answer.free_disk_bytes


def test_a_folder_without_the_room_that_runs_want_is_an_error(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free

    answer = ask_image_store(tmp_path.as_uri(), free // (1024 * 1024) + 1000)

    assert answer.state == "error"
    assert answer.free_disk_bytes
    assert "STORYCANVAS_STORE_MIN_FREE_MB are free" in str(answer.note)


def test_a_folder_that_is_not_there_yet_is_up_and_is_not_made(tmp_path: Path) -> None:
    answer = ask_image_store((tmp_path / "a" / "b").as_uri())

    assert answer.state == "up"
    assert "not there yet" in str(answer.note)
    assert not (tmp_path / "a").exists()


def test_a_bucket_that_holds_something_is_up() -> None:
    bucket = uuid4().hex
    fsspec.filesystem("memory").pipe_file(f"/{bucket}/images/a.png", b"1")

    assert ask_image_store(f"memory://{bucket}/images").state == "up"
    assert ask_image_store(f"memory://{bucket}/other").note == "It holds nothing yet."


def test_a_root_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch(mode=0o777)

    answers = [ask_image_store(url) for url in (file.as_uri(), (file / "below").as_uri())]

    assert [answer.state for answer in answers] == ["error", "error"]
    assert "not a folder" in str(answers[0].note)


@pytest.mark.parametrize(
    "url", ["nothing://x", f"memory://{uuid4().hex}/x"], ids=["protocol", "bucket"]
)
def test_a_store_that_cannot_be_is_an_error(url: str) -> None:
    assert ask_image_store(url).state == "error"


def test_a_database_reports_its_version_and_its_disk(any_database: Data) -> None:
    any_database["clips"].insert_one({"id": "1"})

    answer = ask_database(any_database)

    assert answer.state == "up"
    assert str(answer.version).split(".")[0].isdigit()
    assert answer.free_disk_bytes
    assert answer.latency_ms is not None


def test_a_database_that_does_not_exist_yet_is_up(database: Data) -> None:
    answer = ask_database(database)

    assert (answer.state, answer.free_disk_bytes) == ("up", None)


def test_a_database_that_is_off_is_down_and_its_password_is_not_shown() -> None:
    url = f"mongodb://user:hunter2@127.0.0.1:{choose_port([])}/?appName=hunter2"

    with checked_database(StoryDatabase(mongo_url=SecretStr(url), db_name="story")) as opened:
        database, probe = opened
        answer = probe.ask()

    assert database is None
    assert answer.state == "down"
    assert probe.address.endswith("/story")
    assert "hunter2" not in f"{probe.address} {answer.note}"


def test_a_database_that_refuses_the_user_is_an_error(mongo_url: str) -> None:
    url = mongo_url.replace("mongodb://", "mongodb://user:hunter2@")

    with checked_database(StoryDatabase(mongo_url=SecretStr(url))) as (database, probe):
        answer = probe.ask()

    assert (database, answer.state) == (None, "error")
    assert "refuses this user" in str(answer.note)


@pytest.mark.usefixtures("prefect")
def test_a_face_host_reports_its_engine_its_queue_and_its_guard(host_url: str) -> None:
    host = FaceHost(url=host_url)
    create_limit(host.limit_name, 1)

    answer = ask_face_host(host)

    assert (answer.state, answer.version, answer.note) == ("up", "preview 3", None)
    assert answer.queue == HostQueue(running=0, waiting=0)
    assert answer.gpu == GpuGuard(slots=1, taken=0, guarded=True)


@pytest.mark.usefixtures("prefect")
def test_a_face_host_without_a_guard_is_up_with_a_warning() -> None:
    with json_server({"/api/v1/status": _status("ok")}) as server:
        answer = ask_face_host(FaceHost(url=server.url))

    assert answer.state == "up"
    assert answer.gpu == GpuGuard(slots=None, taken=0, guarded=False)
    assert "nothing is sent" in str(answer.note)


@pytest.mark.usefixtures("prefect")
def test_a_guard_that_is_switched_off_is_noticed_on_a_host_that_is_off() -> None:
    host = FaceHost(url=f"http://127.0.0.1:{choose_port([])}")
    create_limit(host.limit_name, 2)
    with get_client(sync_client=True) as client:
        off = GlobalConcurrencyLimitUpdate(active=False)
        client.update_global_concurrency_limit(host.limit_name, off)

    answer = ask_face_host(host)

    assert answer.state == "down"
    assert answer.gpu == GpuGuard(slots=2, taken=0, guarded=False)


@pytest.mark.usefixtures("prefect")
@pytest.mark.parametrize("word", ["starting", "stopping", "failed"])
def test_a_face_host_that_is_not_ok_is_not_up(word: str) -> None:
    with json_server({"/api/v1/status": _status(word)}) as server:
        answer = ask_face_host(FaceHost(url=server.url))

    assert answer.state == word


@pytest.mark.usefixtures("prefect")
@pytest.mark.parametrize("status", [b"<html>", {"status": "fine"}, [], 403], ids=str)
def test_what_is_no_face_host_is_an_error(status: object) -> None:
    with json_server({"/api/v1/status": status}) as server:
        answer = ask_face_host(FaceHost(url=server.url))

    assert answer.state == "error"


def test_without_prefect_a_face_host_is_up_and_its_guard_unknown(host_url: str) -> None:
    unused = f"http://127.0.0.1:{choose_port([])}/api"
    with temporary_settings({PREFECT_API_URL: unused}):
        answer = ask_face_host(FaceHost(url=host_url))

    assert (answer.state, answer.gpu) == ("up", None)
    assert "guard is unknown" in str(answer.note)


def test_a_history_that_does_not_answer_leaves_the_picture_as_it_is(any_database: Data) -> None:
    assert last_day(any_database, NOW) == []
    silent: MongoClient[dict[str, Any]] = MongoClient(
        "127.0.0.1", choose_port([]), serverSelectionTimeoutMS=1
    )

    with silent:
        assert last_day(silent["story"], NOW) is None


def test_a_host_that_hangs_is_down_and_the_others_are_reported(comfyui: JsonServer) -> None:
    comfyui.silent.set()
    together = Round(probe_seconds=0.5)
    together.ask(checked(lambda: ask_comfyui(comfyui.url), "hangs"))
    together.ask(checked(lambda: Answer(version="1"), "answers"))

    hangs, answers = together.checks()

    assert (hangs.name, hangs.state, hangs.note) == ("hangs", "down", "It did not answer in time.")
    assert (answers.name, answers.state, answers.version) == ("answers", "up", "1")


def test_a_host_that_is_asked_late_gets_no_more_than_the_whole_round() -> None:
    never = threading.Event()
    together = Round(probe_seconds=1000, round_seconds=0.1)
    together.ask(checked(lambda: Answer(state="up" if never.wait() else "down")))

    (check,) = together.checks()
    never.set()

    assert check.state == "down"


def test_hosts_are_asked_side_by_side() -> None:
    met = threading.Barrier(20)

    def meet() -> Answer:
        met.wait(timeout=60)
        return Answer()

    together = Round(probe_seconds=60, round_seconds=60)
    for number in range(20):
        together.ask(checked(meet, str(number)))

    checks = together.checks()

    assert [check.name for check in checks] == [str(number) for number in range(20)]
    assert {check.state for check in checks} == {"up"}


def test_a_fault_in_one_check_is_logged_and_hides_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    together = Round()
    together.ask(checked(fault, "odd"))
    together.ask(checked(Answer, "fine"))

    odd, fine = together.checks()

    assert (odd.state, fine.state) == ("error", "up")
    assert "ZeroDivisionError" in str(odd.note)
    assert "in fault" in caplog.text
    assert "secret" not in caplog.text


def _status(word: str) -> dict[str, object]:
    return {
        "status": word,
        "engine": "facefusion",
        "engine_version": "3.8.1",
        "gpu_slots": 1,
        "busy": 0,
        "queued": 0,
        "operations": 0,
    }
