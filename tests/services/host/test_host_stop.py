from concurrent.futures import Future
from typing import NamedTuple

import httpx

from tests.support.host.gated_engine import GatedEngine
from tests.support.host.pictures_made import encoded
from tests.support.host.threaded_host import OpenHost, ThreadedHost, code, wait_until


def is_closed(host: ThreadedHost) -> bool:
    try:
        httpx.get(f"{host.url}/api/v1/status")
    except httpx.TransportError:
        return True
    return False


class Stopping(NamedTuple):
    host: ThreadedHost
    picture: str
    running: Future[httpx.Response]


def stopping(open_host: OpenHost) -> Stopping:
    """A host that was told to stop while an operation runs."""
    host = open_host(GatedEngine(gated=True))
    picture = host.upload(encoded())
    running = host.age_meanwhile(picture, key="running")
    host.engine.began.get(timeout=30)
    host.stop()
    wait_until(lambda: host.status()["status"] == "stopping")
    return Stopping(host, picture, running)


def test_whoever_comes_while_a_host_stops_is_told_when_to_come_back(open_host: OpenHost) -> None:
    host, picture, _ = stopping(open_host)
    refused = [
        host.age(picture),
        host.client.post("assets", content=encoded(colour="blue")),
        host.client.post("assets", files={"file": encoded(colour="blue")}),
    ]
    assert [code(answer) for answer in refused] == [(503, "not_ready")] * 3
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert len(list((host.data_dir / "assets").iterdir())) == 1


def test_a_host_that_stops_still_hands_out_what_is_done(open_host: OpenHost) -> None:
    host, picture, _ = stopping(open_host)
    assert host.client.get(f"assets/{picture}").content == encoded()


def test_a_running_operation_can_be_joined_while_its_host_stops(open_host: OpenHost) -> None:
    host, picture, running = stopping(open_host)
    joined = host.age_meanwhile(picture, key="running")
    host.engine.let_through()
    assert joined.result().content == running.result().content


def test_a_host_closes_once_the_last_operation_has_ended(open_host: OpenHost) -> None:
    host, _, running = stopping(open_host)
    assert not is_closed(host)
    host.engine.let_through()
    assert running.result().status_code == 200
    wait_until(lambda: is_closed(host))


def test_a_stop_does_not_wait_longer_than_its_time(open_host: OpenHost) -> None:
    host = open_host(GatedEngine(gated=True), stop_seconds=0.2)
    host.age_meanwhile(host.upload(encoded()))
    host.engine.began.get(timeout=30)
    host.stop()
    wait_until(lambda: is_closed(host))
