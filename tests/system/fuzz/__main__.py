"""Send thousands of hostile requests to a real host, and check what it answers.

    python -m tests.system.fuzz [REQUESTS [SEED]]

The host runs as a process of its own with the preview engine. The exit code is 1 when
a claim does not hold.
"""

import collections
import concurrent.futures
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil
from hypothesis import HealthCheck, Phase, given, seed, settings

from storycanvas.faces.contract import API
from tests.support.raw_http import RawRequest, send
from tests.system.fuzz.hostile_places import Places, make_places, picture
from tests.system.fuzz.hostile_requests import requests
from tests.system.fuzz.strange_server import StrangeServer
from tests.system.fuzz.verdicts import faults

REQUESTS = 10_000
WARM = 2_000
AT_ONCE = 4
DOWNLOAD_SECONDS = 2.0
SILENCE_SECONDS = 30.0
MAX_SECONDS = 2 * DOWNLOAD_SECONDS + 10.0
"""Two downloads one after the other, and room for a busy machine."""
MAX_GROWTH_MB = 32.0
"""Between 2,000 requests, when all that is kept for good is there, and the last one."""
REACHED = {200, 400, 404, 405, 413, 415}
"""Statuses that some of the requests have to get, or they reach too little of the host."""


class HostUnderAttack:
    """A host process; its log is kept."""

    def __init__(self, folder: Path, server: StrangeServer) -> None:
        options = ["--port", "0", "--data-dir", str(folder / "data"), "--queue", "64"]
        options += ["--allow-root", str(folder / "allowed"), "--allow-url-host", server.address]
        options += ["--download-seconds", str(DOWNLOAD_SECONDS)]
        command = [sys.executable, "-m", "storycanvas.host", "--engine", "preview", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.log: list[str] = []
        self.address = ("127.0.0.1", self._port())
        threading.Thread(target=self._read, daemon=True).start()

    def memory(self) -> float:
        """Read how much memory it holds, in MB."""
        resident: int = psutil.Process(self.process.pid).memory_info().rss
        return resident / 1024**2

    def upload(self, data: bytes) -> str:
        """Have a picture kept and give its name."""
        url = f"http://127.0.0.1:{self.address[1]}{API}/assets"
        name: str = httpx.post(url, content=data).raise_for_status().json()["path"]
        return name

    def end(self) -> int:
        """Ask it to stop and give its exit status."""
        self.process.terminate()
        return self.process.wait(60)

    def _port(self) -> int:
        for line in self.process.stderr or ():
            self.log.append(line)
            if found := re.search(r"listening on http://[^:]*:(\d+)", line):
                return int(found[1])
        raise RuntimeError(f"the host ended at once: {''.join(self.log)}")

    def _read(self) -> None:
        self.log.extend(self.process.stderr or ())


class Attack:
    """Sends requests from several threads and notes what is wrong with their answers."""

    def __init__(self, host: HostUnderAttack, places: Places) -> None:
        self.statuses: collections.Counter[int] = collections.Counter()
        self.faults: dict[str, RawRequest] = {}
        self.slowest = 0.0
        self.memory: dict[int, float] = {}
        self._host = host
        self._places = places
        self._sent = 0
        self._senders = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        self._room = threading.Semaphore(2 * AT_ONCE)

    def run(self, number: int, seed_number: int) -> None:
        """Send so many requests; a seed gives the same ones each time."""
        port = self._host.address[1]

        @seed(seed_number)
        @settings(max_examples=number, database=None, deadline=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(requests(self._places, f"127.0.0.1:{port}"))
        def attack(request: RawRequest) -> None:
            self._room.acquire()
            self._sent += 1
            if self._sent == min(WARM, number // 2):
                self.memory[self._sent] = self._host.memory()
            self._senders.submit(self._send, request).add_done_callback(self._done)

        attack()
        self._senders.shutdown()
        self.memory[self._sent] = self._host.memory()

    def _send(self, request: RawRequest) -> None:
        answer = send(self._host.address, request, SILENCE_SECONDS)
        self.statuses[answer.status] += 1
        self.slowest = max(self.slowest, answer.seconds)
        for fault in faults(request, answer, self._places, MAX_SECONDS):
            self.faults.setdefault(fault, request)

    def _done(self, sent: concurrent.futures.Future[None]) -> None:
        self._room.release()
        if error := sent.exception():
            self.faults.setdefault(f"{type(error).__name__}: {error}", RawRequest(b"", b""))


def claims(attack: Attack, host: HostUnderAttack, places: Places, asked: int) -> dict[str, bool]:
    """Check what holds after the attack; ends the host."""
    alive = host.process.poll() is None
    first, last = attack.memory.values()
    return {
        "every answer has the contract's form, no error is unforeseen": not attack.faults,
        "the requests reach every part of the host": set(attack.statuses) >= REACHED,
        "the picture outside was never read": not places.canary_was_read(),
        "the server that is not allowed was never asked": asked == 0,
        f"memory is flat ({first:.0f} MB, then {last:.0f} MB)": last - first < MAX_GROWTH_MB,
        f"nothing took too long (slowest {attack.slowest:.1f} s)": attack.slowest < MAX_SECONDS,
        "the host is alive and stops in good order": alive and host.end() == 0,
        "its log shows no failure of its own": not own_failures(host.log),
    }


def own_failures(log: Sequence[str]) -> int:
    """Count the log's entries with a traceback, but not those of the server beneath.

    Uvicorn 0.54 refuses a body that is no HTTP by itself, and when the application answers at the
    same moment it logs an error of h11; the caller has got its 400.
    """
    entries = re.split(r"^(?=\d{4}-\d\d-\d\d )", "".join(log), flags=re.MULTILINE)
    return sum("Traceback" in entry and "h11._util." not in entry for entry in entries)


def trap_works(folder: Path) -> bool:
    """Tell whether this file system notes when a file is read."""
    places = make_places(folder, "127.0.0.1:1", "127.0.0.1:2")
    places.set_trap()
    places.canary.read_bytes()
    return places.canary_was_read()


def main(number: int = REQUESTS, seed_number: int = 1) -> int:
    """Attack a host and print one table."""
    with tempfile.TemporaryDirectory() as name, StrangeServer(picture()) as elsewhere:
        folder = Path(name)
        if not trap_works(folder / "trial"):
            print("this file system keeps no reading times: reading outside goes unnoticed there")
        with StrangeServer(picture(), elsewhere.address) as server:
            places = make_places(folder, server.address, elsewhere.address)
            host = HostUnderAttack(folder, server)
            places = places.with_asset(host.upload(picture()))
            attack, began = Attack(host, places), time.monotonic()
            places.set_trap()
            attack.run(number, seed_number)
            seconds = time.monotonic() - began
            held = claims(attack, host, places, next(elsewhere.asked))
    print(f"{sum(attack.statuses.values()):,} requests, seed {seed_number}, {seconds:.0f} s")
    print("  ".join(f"{status or 'none'}: {n:,}" for status, n in sorted(attack.statuses.items())))
    for claim, holds in held.items():
        print(f"{'ok    ' if holds else 'FAILED'}  {claim}")
    for fault, request in list(attack.faults.items())[:20]:
        print(f"        {fault}\n          {repr(request)[:600]}")
    return 0 if all(held.values()) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
