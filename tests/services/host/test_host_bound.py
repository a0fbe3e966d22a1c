import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from storycanvas.faces.pictures.reading import read_picture
from storycanvas.host.settings import GIB
from tests.support.host.pictures import SIZE, encoded, kept, name, numbered, picture_bytes
from tests.support.host.started_host import wait_until
from tests.support.host.threaded_host import OpenHost, ThreadedHost, code

THREADS = 8
ROUNDS = 5
PICTURES_A_ROUND = 8
PLACES = 6
ALL = range(100)


def room_for(pictures: int) -> float:
    return pictures * SIZE / GIB


def folder(host: ThreadedHost) -> Path:
    return host.data_dir / "assets"


def upload(host: ThreadedHost, numbers: Iterable[int]) -> None:
    for number in numbers:
        host.upload(numbered(number))


@pytest.fixture
def full_host(open_host: OpenHost) -> ThreadedHost:
    """A host that keeps three pictures, and has pictures 0, 1 and 2."""
    host = open_host(keep_gib=room_for(3))
    upload(host, range(3))
    return host


def test_a_running_and_a_waiting_operation_keep_their_pictures(open_host: OpenHost) -> None:
    host = open_host(gated=True, keep_gib=room_for(4))
    answers = [host.age_meanwhile(host.upload(numbered(number))) for number in (0, 1)]
    wait_until(lambda: host.status()["queued"] == 1)
    upload(host, range(2, 20))
    assert kept(folder(host), ALL) == [0, 1, 18, 19]
    host.engine.let_through(2)
    assert [answer.result().status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("method", ["HEAD", "GET", "POST", "operation"])
def test_a_picture_that_is_asked_for_stays(full_host: ThreadedHost, method: str) -> None:
    match method:
        case "POST":
            full_host.upload(numbered(0))
        case "operation":
            body = {"source_path": f"asset:{name(0)}"}
            assert full_host.client.post("detect-faces", json=body).status_code == 200
        case _:
            assert full_host.client.request(method, f"assets/{name(0)}").status_code == 200
    full_host.upload(numbered(3))
    assert kept(folder(full_host), ALL) == [0, 2, 3]


def test_an_answered_output_waits_for_its_caller(open_host: OpenHost) -> None:
    host = open_host(keep_gib=room_for(2))
    output = host.age(host.upload(numbered(50))).json()["output_path"]
    upload(host, range(9))
    assert host.client.get(f"assets/{output}").status_code == 200
    upload(host, range(9))
    assert code(host.client.get(f"assets/{output}")) == (404, "picture_not_found")


def test_a_result_without_its_picture_is_made_anew(
    open_host: OpenHost, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    host = open_host()
    picture = host.upload(encoded("JPEG"))  # of a PNG the output is the very file of the input
    first = host.age(picture, key="kept").json()["output_path"]
    (folder(host) / first.removeprefix("asset:")).unlink()
    again = host.age(picture, key="kept").json()["output_path"]
    assert host.client.get(f"assets/{again}").status_code == 200
    assert len(host.engine.calls) == 2
    assert f"has lost its picture {first}" in caplog.text


def test_a_result_without_any_picture_stays_a_result(open_host: OpenHost) -> None:
    host = open_host()
    body = {"source_path": host.upload(numbered(0))}
    headers = {"Idempotency-Key": "detected"}
    answers = [host.client.post("detect-faces", json=body, headers=headers) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert len(host.engine.calls) == 1


def test_a_result_answered_again_keeps_its_picture(open_host: OpenHost) -> None:
    host = open_host(keep_gib=room_for(3))
    picture = host.upload(numbered(50))
    host.client.get(f"assets/{host.age(picture, key='kept').json()['output_path']}")
    output = host.age(picture, key="kept").json()["output_path"]
    upload(host, range(9))
    assert host.client.get(f"assets/{output}").status_code == 200
    assert len(host.engine.calls) == 1


def aged(host: ThreadedHost, number: int) -> httpx.Response:
    """Have a picture aged as a client does: what the host has no longer is uploaded again."""
    while True:
        answer = host.age(host.upload(numbered(number)), key=f"number-{number}")
        if answer.status_code != 404:
            return answer


def aged_and_fetched(host: ThreadedHost, numbers: range) -> None:
    for number in numbers:
        answer = aged(host, number)
        assert answer.status_code == 200, answer.text
        output = host.client.get(f"assets/{answer.json()['output_path']}")
        assert output.status_code == 200
        assert output.content == read_picture(numbered(number), "sent").png


def largest_seen(host: ThreadedHost, done: threading.Event) -> int:
    largest = 0
    while not done.wait(0.001):
        largest = max(largest, picture_bytes(folder(host)))
    return largest


def test_hundreds_of_operations_at_once_fit_below_a_tiny_bound(open_host: OpenHost) -> None:
    host = open_host(keep_gib=room_for(PLACES))
    done = threading.Event()
    with ThreadPoolExecutor(THREADS + 1) as callers:
        watched = callers.submit(largest_seen, host, done)
        for first in range(0, ROUNDS * THREADS * PICTURES_A_ROUND, THREADS * PICTURES_A_ROUND):
            shares = [
                range(first + share, first + THREADS * PICTURES_A_ROUND, THREADS)
                for share in range(THREADS)
            ]
            list(callers.map(aged_and_fetched, [host] * THREADS, shares))
            wait_until(lambda: picture_bytes(folder(host)) <= PLACES * SIZE)
        done.set()
    # Beyond the bound: what each caller's operation reads, its output, and the newest upload.
    assert watched.result() <= (PLACES + 3 * THREADS) * SIZE
    assert len(host.engine.calls) == ROUNDS * THREADS * PICTURES_A_ROUND
