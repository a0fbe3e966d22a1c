"""Callers that send nothing, slowly or without end, while another one works; 500 mixed operations.

The bounds are those of docs/guarantees.md.
"""

import contextlib
import os
import re
import resource
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Self

import httpx
import pytest

from storycanvas.faces.client.operations import ACCEPTED
from storycanvas.faces.contract import API
from tests.support.host.pictures import encoded
from tests.support.host.started_host import PROGRAM, StartedHost, StartHost
from tests.support.host.submitting import ASYNC
from tests.support.paths import ROOT

IDLE, SLOW, ENDLESS = 1200, 200, 60
OPERATIONS = 20
STATUS_SECONDS, SLOWEST_SECONDS = 1.0, 10.0
"""Half of the answers, and all: the attack itself runs in this process."""
MAX_LOG = 1_000_000
FULL = 429
CHUNK = b"10000\r\n" + bytes(65536) + b"\r\n"
SLOW_HEAD = b"POST /api/v1/assets HTTP/1.1\r\nHost: localhost\r\nX: "
ENDLESS_HEAD = (
    b"POST /api/v1/assets HTTP/1.1\r\nHost: evil.example\r\nTransfer-Encoding: chunked\r\n\r\n"
)


class Attack:
    """Keeps so many connections of each kind, and opens one anew where the host has closed it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.opened: Counter[str] = Counter()
        self._address = address
        self._ends = threading.Event()
        kinds = {"idle": (IDLE, b"", b""), "slow": (SLOW, SLOW_HEAD, b"x"),
                 "endless": (ENDLESS, ENDLESS_HEAD, CHUNK)}  # fmt: skip
        self._threads = [
            threading.Thread(target=self._keep, args=(kind, *rest)) for kind, rest in kinds.items()
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _keep(self, kind: str, count: int, head: bytes, piece: bytes) -> None:
        with contextlib.ExitStack() as stack:
            kept: list[socket.socket | None] = [None] * count
            while not self._ends.wait(0.02):
                for place, connection in enumerate(kept):
                    if connection is None or not _go_on(connection, piece):
                        if connection is not None:
                            connection.close()
                        kept[place] = self._open(kind, head)
            for connection in kept:
                if connection is not None:
                    stack.enter_context(connection)

    def _open(self, kind: str, head: bytes) -> socket.socket | None:
        try:
            connection = socket.create_connection(self._address, timeout=1)
            connection.sendall(head)
        except OSError:
            return None
        connection.setblocking(False)
        self.opened[kind] += 1
        return connection


def _go_on(connection: socket.socket, piece: bytes) -> bool:
    """Send the next piece; False once the host has closed the connection."""
    with contextlib.suppress(BlockingIOError):
        try:
            if piece:
                connection.send(piece)
            elif not connection.recv(1000):
                return False
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip("this process may not open 4096 files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def status_seconds(host: StartedHost) -> float:
    """Measure a status on a connection of its own."""
    begin = time.monotonic()
    answer = httpx.get(f"{host.url}{API}/status", timeout=30)
    assert answer.status_code in {200, 503}
    return time.monotonic() - begin


@pytest.mark.alone
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize(
    "limit",
    # Below its hard limit a host cannot keep them all: each that it closes comes back at once.
    ["ulimit -Sn 1024", "ulimit -n 1024"],
    ids=["soft", "hard"],
)
def test_under_attack_another_caller_is_served_and_the_log_stays_small(
    start_host: StartHost, limit: str
) -> None:
    host = start_host(
        program=["bash", "-c", f'{limit} && exec "$@"', "limited", *PROGRAM],
        arguments=["--allow-root", str(ROOT / "samples")],
    )
    body = {"source_path": str(ROOT / "samples" / "portrait.png")}
    address = ("127.0.0.1", int(host.url.rpartition(":")[2]))
    seconds: list[float] = []
    with Attack(address) as attack, ThreadPoolExecutor(1) as callers:
        time.sleep(3)
        run = callers.submit(lambda: [
            httpx.post(f"{host.url}{API}/enhance-face", json=body, timeout=60).status_code
            for _ in range(OPERATIONS)
        ])  # fmt: skip
        until = time.monotonic() + 15  # longer than a head may take
        while time.monotonic() < until or not run.done():
            seconds.append(status_seconds(host))
            time.sleep(0.1)
        assert run.result() == [200] * OPERATIONS
    assert host.end() == 0
    print(f"status {median(seconds):.3f} s, at most {max(seconds):.3f}; {attack.opened}")
    assert attack.opened["idle"] >= IDLE
    assert attack.opened["endless"] > ENDLESS
    assert len(host.log()) < MAX_LOG
    assert median(seconds) < STATUS_SECONDS
    assert max(seconds) < SLOWEST_SECONDS


@pytest.mark.timeout(300)
@pytest.mark.skipif(os.name != "posix", reason="uses the samples by path")
def test_figures_equal_the_log_after_five_hundred_mixed_operations(start_host: StartHost) -> None:
    host = start_host(
        arguments=["--allow-root", str(ROOT / "samples"), "--queue", "5", "--slots", "2"],
    )
    face, blank = str(ROOT / "samples" / "portrait.png"), host.upload(encoded())
    bodies: list[tuple[str, dict[str, object]]] = [
        ("detect-faces", {"source_path": face}),
        ("enhance-face", {"source_path": face, "face_enhancer_model": "gfpgan_1.4"}),
        ("enhance-face", {"source_path": blank}),
        ("mask-face", {"source_path": blank}),
        ("enhance-face", {"source_path": "/nowhere.png"}),
    ]

    def call(number: int) -> int:
        path, body = bodies[number % len(bodies)]
        submits = number % 25 == 0
        taken = host.client.post(path, json=body, headers=ASYNC if submits else {})
        if taken.status_code == FULL:
            time.sleep(0.5)  # a caller that asks again at once would be refused most of the time
        if taken.status_code != ACCEPTED:
            return taken.status_code
        ended = host.client.delete(f"operations/{taken.json()['id']}").json()["state"]
        return {"succeeded": 200, "cancelled": 409}[ended]

    with ThreadPoolExecutor(8) as callers:
        statuses = Counter(callers.map(call, range(500)))
    text = httpx.get(f"{host.url}/metrics").text
    counted = Counter({
        (found[1], found[2]): int(float(found[3]))
        for found in re.finditer(
            r'operations_total\{engine="preview",operation="(\S+?)",outcome="(\S+?)"\} (\S+)', text
        )
        if float(found[3])
    })  # fmt: skip
    assert host.end() == 0
    told = Counter(re.findall(r"metrics: (\S+) (\S+): waited", host.log()))
    print(f"{dict(statuses)} {dict(counted)}")
    assert counted == told
    assert sum(counted.values()) == 500
    outcomes: Counter[str] = Counter()
    for (_, outcome), number in counted.items():
        outcomes[outcome] += number
    assert outcomes["succeeded"] == statuses[200] > OPERATIONS
    assert outcomes["cancelled"] == statuses[409] > 0
    assert outcomes["no_face"] == statuses[422] > OPERATIONS
    assert outcomes["bad_field"] == statuses[400] > OPERATIONS
    assert outcomes["queue_full"] == statuses[429] < sum(statuses.values()) / 2
