"""Send thousands of hostile requests to a real host, and check what it answers.

    python -m tests.system.fuzz [REQUESTS [SEED]]

The host runs as a process of its own with the preview engine. The exit code is 1 when
a claim does not hold.
"""

import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.contract import API, RESPOND_ASYNC
from storycanvas.host.page.routes import PASS_PATH
from storycanvas.net.retry import RetryPolicy
from tests.support.host.started_host import environment
from tests.system.fuzz.access import Access, basic
from tests.system.fuzz.attack import Attack
from tests.system.fuzz.hostile_places import Places, make_places, picture
from tests.system.fuzz.strange_server import StrangeServer

REQUESTS = 10_000
OWN_SHARE = 20
"""Of so many requests one is a call of our own client, which is several requests itself."""
DOWNLOAD_SECONDS = 2.0
TOKEN = "fuzz-made-up-token"  # noqa: S105 - made up
MAX_SECONDS = 2 * DOWNLOAD_SECONDS + 10.0
"""Two downloads one after the other, and room for a busy machine."""
MAX_GROWTH_MB = 32.0
"""Between 2,000 requests, when all that is kept for good is there, and the last one."""
REACHED = {200, 202, 400, 404, 405, 413, 415}
"""Statuses that some of the requests have to get, or they reach too little of the host."""


class HostUnderAttack:
    """A host process; its log is kept."""

    def __init__(self, folder: Path, server: StrangeServer, token: str = "") -> None:
        self.token = token
        options = ["--port", "0", "--data-dir", str(folder / "data"), "--queue", "64"]
        options += ["--allow-root", str(folder / "allowed"), "--allow-url-host", server.address]
        options += ["--download-seconds", str(DOWNLOAD_SECONDS)]
        command = [sys.executable, "-m", "storycanvas.host", "--engine", "preview", *options]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=environment(token)
        )
        self.log: list[str] = []
        self.address = ("127.0.0.1", self._port())
        self.url = f"http://127.0.0.1:{self.address[1]}"
        threading.Thread(target=self._read, daemon=True).start()

    def memory(self) -> float:
        """Read how much memory it holds, in MB."""
        resident: int = psutil.Process(self.process.pid).memory_info().rss
        return resident / 1024**2

    def upload(self, data: bytes) -> str:
        """Have a picture kept and give its name."""
        name: str = self._post(f"{API}/assets", content=data).json()["path"]
        return name

    def submit(self, picture: str) -> str:
        """Have an operation done and give its id."""
        answer = self._post(
            f"{API}/detect-faces", json={"source_path": picture}, headers={"Prefer": RESPOND_ASYNC}
        )
        return str(answer.json()["id"])

    def access(self, folder: Path) -> Access:
        """Give what opens it, with a pass of its page."""
        if not self.token:
            return Access(folder=folder)
        shown = {"Authorization": basic(self.token).decode()}
        made = self._post(PASS_PATH, headers=shown).json()["pass"]
        return Access(self.token, made, folder)

    def end(self) -> int:
        """Ask it to stop and give its exit status."""
        self.process.terminate()
        return self.process.wait(60)

    def _post(self, path: str, **options: Any) -> httpx.Response:
        shown = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers = {**shown, **options.pop("headers", {})}
        return httpx.post(f"{self.url}{path}", headers=headers, **options).raise_for_status()

    def _port(self) -> int:
        for line in self.process.stderr or ():
            self.log.append(line)
            if found := re.search(r"listening on http://[^:]*:(\d+)", line):
                return int(found[1])
        raise RuntimeError(f"the host ended at once: {''.join(self.log)}")

    def _read(self) -> None:
        self.log.extend(self.process.stderr or ())


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


def attacked(number: int, seed_number: int, token: str, elsewhere: StrangeServer) -> bool:
    """Attack a host with all clients, print what held, and return whether all did."""
    with (
        tempfile.TemporaryDirectory() as name,
        StrangeServer(picture(), elsewhere.address) as server,
    ):
        folder = Path(name)
        places = make_places(folder, server.address, elsewhere.address)
        host = HostUnderAttack(folder, server, token)
        asset = host.upload(picture())
        places = places.with_asset(asset).with_operation(host.submit(asset))
        access, began = host.access(folder / "data"), time.monotonic()
        attack = Attack(host.address, places, access, host.memory)
        places.set_trap()
        with FaceHostClient(host.url, token or None, retries=RetryPolicy(tries=1)) as client:
            attack.call(client, number // OWN_SHARE, seed_number)
        attack.run(number - number // OWN_SHARE, seed_number, MAX_SECONDS)
        seconds = time.monotonic() - began
        held = claims(attack, host, places, next(elsewhere.asked))
        held["no line of its log has the token or a pass"] = not access.told_in_log(
            "".join(host.log)
        )
    show(attack, held, f"{number:,} requests, seed {seed_number}, {seconds:.0f} s")
    return all(held.values())


def show(attack: Attack, held: dict[str, bool], title: str) -> None:
    """Print one table."""
    print(f"{title}: {', '.join(f'{name} {n:,}' for name, n in sorted(attack.clients.items()))}")
    print("  ".join(f"{status or 'none'}: {n:,}" for status, n in sorted(attack.statuses.items())))
    for claim, holds in held.items():
        print(f"{'ok    ' if holds else 'FAILED'}  {claim}")
    for fault, request in list(attack.faults.items())[:20]:
        print(f"        {fault}\n          {repr(request)[:600]}")


def main(number: int = REQUESTS, seed_number: int = 1) -> int:
    """Attack a host without a token, then one with a token."""
    with tempfile.TemporaryDirectory() as name:
        if not trap_works(Path(name) / "trial"):
            print("this file system keeps no reading times: reading outside goes unnoticed there")
    held = []
    for token in ("", TOKEN):
        print(f"a host {'with' if token else 'without'} a token")
        with StrangeServer(picture()) as elsewhere:
            held.append(attacked(number // 2, seed_number, token, elsewhere))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
