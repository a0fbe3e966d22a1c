"""The host as a process of its own."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

from storycanvas.faces.contract import API, IDEMPOTENCY_HEADER
from tests.support.host.pictures import encoded
from tests.support.paths import ROOT

PROGRAM = (sys.executable, "-m", "storycanvas.host")
RECORDING = (sys.executable, "-m", "tests.support.host.serve_recording_engine")
KEY = "the-only-one"
WAIT_SECONDS = 30


def environment(token: str | None = None) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name != "FACEFUSION_TOKEN"}
    return plain | {"PYTHONPATH": str(ROOT)} | ({"FACEFUSION_TOKEN": token} if token else {})


def wait_until(fulfilled: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not fulfilled():
        assert time.monotonic() < deadline, "this did not happen"
        time.sleep(0.01)


class HostProcess:
    """A host as a process of its own, with what it wrote to its standard error.

    Attributes:
        end_seconds: How long it may take to end.
    """

    end_seconds = WAIT_SECONDS

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._log: list[str] = []
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
        )
        self.url = self._read_url()
        self._reader = threading.Thread(target=self._read_rest)
        self._reader.start()

    def end(self) -> int:
        """Ask it to stop, unless it ended already."""
        if self.process.poll() is None:
            self.process.terminate()
        return self._ended()

    def kill(self) -> int:
        self.process.kill()
        return self._ended()

    def log(self) -> str:
        return "".join(self._log)

    def close(self) -> None:
        """Close the connections to it, once it has ended."""

    def _ended(self) -> int:
        status = self.process.wait(self.end_seconds)
        self._reader.join(self.end_seconds)
        self.close()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return status

    def _read_url(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._log.append(line)
            if found := re.search(r"listening on (http://\S+)", line):
                return found[1]
        self.process.wait(self.end_seconds)
        self.process.stderr.close()
        message = f"the host ended at once: {self.log()}"
        raise AssertionError(message)

    def _read_rest(self) -> None:
        assert self.process.stderr is not None
        self._log.extend(self.process.stderr)


class StartedHost(HostProcess):
    def __init__(
        self, data_dir: Path, arguments: Sequence[str] = (),
        program: Sequence[str] = PROGRAM, token: str | None = None,
    ) -> None:  # fmt: skip
        command = [*program, "--port", "0", "--data-dir", str(data_dir), *arguments]
        self.data_dir = data_dir
        super().__init__(command, environment(token))
        self.client = httpx.Client(base_url=f"{self.url}{API}/", timeout=WAIT_SECONDS)

    def close(self) -> None:
        self.client.close()

    def upload(self, data: bytes) -> str:
        return str(self.client.post("assets", content=data).json()["path"])

    def enhance(self, picture: str | None = None, key: str = KEY) -> httpx.Response:
        body = {"source_path": picture or self.upload(encoded())}
        return self.client.post("enhance-face", json=body, headers={IDEMPOTENCY_HEADER: key})


StartHost = Callable[..., StartedHost]
"""Takes what a started host takes but its folder, which is the same within a test."""


def calls(folder: Path) -> int:
    """Count the calls of a recording engine."""
    log = folder / "calls"
    return len(log.read_text().splitlines()) if log.exists() else 0
