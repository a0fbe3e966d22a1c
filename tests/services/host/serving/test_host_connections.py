"""Connections that send nothing, too slowly, or without end; and how many there may be."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from storycanvas.faces.contract import API
from storycanvas.faces.pictures.reading import MAX_BYTES
from storycanvas.host.connections import connections_within
from tests.support.host.pictures import encoded
from tests.support.host.started_host import PROGRAM, StartHost, environment
from tests.support.host.threaded_host import OpenHost, ThreadedHost, code
from tests.support.paths import ROOT

HEAD = f"GET {API}/status HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
ENDLESS = f"POST {API}/assets HTTP/1.1\r\nHost: {{}}\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"10000\r\n" + bytes(65536) + b"\r\n"
HEAD_SECONDS = 0.3


@contextlib.contextmanager
def connected(host: ThreadedHost) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", host.port), timeout=10) as connection:
        yield connection


@pytest.fixture
def hasty(open_host: OpenHost) -> ThreadedHost:
    return open_host(head_seconds=HEAD_SECONDS, token="made-up-token")  # noqa: S106 - made up


def seconds_until_closed(connection: socket.socket, piece: bytes = b"") -> float:
    """Send a piece again and again, and see when the host closes the connection."""
    begin = time.monotonic()
    connection.settimeout(0.05)
    while time.monotonic() < begin + 10:
        try:
            if piece:
                connection.sendall(piece)
            if not connection.recv(1000):
                return time.monotonic() - begin
        except TimeoutError:
            continue
        except ConnectionError:
            return time.monotonic() - begin
    raise AssertionError("the connection stays open")


@pytest.mark.parametrize(
    ("begin", "piece"),
    [(b"", b""), (b"GET / HTTP/1.1\r\n", b""), (b"GET / HTTP/1.1\r\nX: ", b"x")],
    ids=["nothing", "half a head", "one byte at a time"],
)  # fmt: skip
def test_a_connection_without_a_whole_head_is_closed(
    hasty: ThreadedHost, begin: bytes, piece: bytes
) -> None:
    with connected(hasty) as connection:
        connection.sendall(begin)
        assert HEAD_SECONDS <= seconds_until_closed(connection, piece) + 0.05 < 30


def status_after_head(connection: socket.socket) -> int:
    """Send a whole head, and read the whole answer."""
    connection.sendall(HEAD)
    answer = http.client.HTTPResponse(connection, method="GET")
    answer.begin()
    answer.read()
    return answer.status


def test_the_head_of_a_later_request_has_as_long(hasty: ThreadedHost) -> None:
    with connected(hasty) as connection:
        assert status_after_head(connection) == 200
        time.sleep(2 * HEAD_SECONDS)
        assert status_after_head(connection) == 200
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert seconds_until_closed(connection, b"x") < 30


def test_an_operation_may_take_longer_than_a_head(open_host: OpenHost) -> None:
    host = open_host(gated=True, head_seconds=HEAD_SECONDS)
    running = host.age_meanwhile(host.upload(encoded()))
    time.sleep(2 * HEAD_SECONDS)
    host.engine.let_through(1)
    assert running.result(timeout=30).status_code == 200


@pytest.mark.parametrize(("name", "status"), [("localhost", b"413"), ("evil.example", b"401")])
def test_a_body_without_end_is_read_no_further_than_its_refusal(
    open_host: OpenHost, name: str, status: bytes
) -> None:
    host = open_host()
    sent = 0
    with connected(host) as connection:
        connection.sendall(ENDLESS.format(name).encode())
        with contextlib.suppress(ConnectionError):
            while sent < 400_000_000:
                connection.sendall(CHUNK)
                sent += len(CHUNK)
        assert connection.recv(100).startswith(b"HTTP/1.1 " + status)
    assert sent < 60_000_000  # what fills the buffers of the system is in it


def test_a_refused_upload_is_answered_to_a_client_that_sends_all_first(hasty: ThreadedHost) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", hasty.port, timeout=30)
    connection.request("POST", f"{API}/assets", bytes(29_000_000))
    assert connection.getresponse().status == 401
    connection.close()


def test_the_next_request_may_follow_a_refused_upload_on_its_connection(
    open_host: OpenHost,
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", open_host().port, timeout=30)
    connection.request("POST", f"{API}/assets", bytes(MAX_BYTES + 1_000_000))
    with connection.getresponse() as answer:
        assert answer.status == 413
        answer.read()
    assert connection.sock is not None
    connection.request("GET", f"{API}/status")
    with connection.getresponse() as answer:
        assert answer.status == 200
    connection.close()


@pytest.mark.parametrize("path", ["status", "assets", "adjust-face", "nothing-here"])
def test_a_length_told_twice_is_refused_and_the_connection_ends(
    host: ThreadedHost, path: str
) -> None:
    headers = {"Content-Length": "3", "Transfer-Encoding": "chunked"}
    answer = host.client.post(path, content=b"abc", headers=headers)
    assert code(answer) == (400, "bad_field")
    assert answer.headers["connection"] == "close"


def test_the_longest_idle_connection_makes_room(open_host: OpenHost) -> None:
    host = open_host(connections=8)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connected(host)) for _ in range(40)]
        assert host.client.get("status", timeout=10).status_code == 200
        assert seconds_until_closed(idle[0]) < 10
        assert status_after_head(idle[-1]) == 200


def test_a_connection_with_a_request_under_way_makes_no_room(open_host: OpenHost) -> None:
    host = open_host(gated=True, connections=2)
    picture = host.upload(encoded())
    running = host.age_meanwhile(picture)
    host.engine.began.get(timeout=30)
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(connected(host))
        host.engine.let_through(1)
        assert running.result(timeout=30).status_code == 200


@pytest.mark.parametrize(
    ("files", "wanted", "most"), [(1024, 1024, 768), (65536, 1024, 1024), (1, 5, 1), (40, 5, 5)]
)
def test_connections_leave_a_quarter_of_the_files_free(files: int, wanted: int, most: int) -> None:
    assert connections_within(files, wanted) == most


@pytest.mark.skipif(os.name != "posix", reason="sets a limit of open files")
def test_twice_as_many_connections_as_files_leave_room_for_a_caller(start_host: StartHost) -> None:
    limited = ["bash", "-c", 'ulimit -n 256 && exec "$@"', "limited", *PROGRAM]
    host = start_host(program=limited)
    address = ("127.0.0.1", int(host.url.rpartition(":")[2]))
    with contextlib.ExitStack() as stack:
        for _ in range(512):
            stack.enter_context(socket.create_connection(address, timeout=10))
        answer = httpx.get(f"{host.url}{API}/status", timeout=1)
    assert answer.status_code == 200
    assert host.end() == 0
    assert "at most 192 connections" in host.log()
    assert len(host.log()) < 3000


def test_the_limit_of_files_is_raised_as_far_as_the_system_lets_it() -> None:
    program = "from storycanvas.host.connections import raise_file_limit as r; print(r())"
    limited = ["bash", "-c", 'ulimit -Sn 200; ulimit -Hn 300; exec "$@"', "limited"]
    command = [*limited, sys.executable, "-c", program]
    assert subprocess.check_output(command, cwd=ROOT, env=environment(), text=True) == "300\n"
