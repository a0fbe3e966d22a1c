"""The host's own server in a thread of the test, with an engine that the test controls."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from storycanvas.faces.contract import API, IDEMPOTENCY_HEADER
from storycanvas.host.listening import listen
from storycanvas.host.operations import runner
from storycanvas.host.serving import server_for
from storycanvas.host.settings import HostSettings
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.started_host import WAIT_SECONDS


class ThreadedHost:
    def __init__(self, engine: GatedEngine, data_dir: Path, **settings: Any) -> None:
        self.engine = engine
        self.data_dir = data_dir
        chosen = HostSettings(port=0, data_dir=data_dir, **settings)
        self._listener = listen(chosen)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=f"{self.url}{API}/", timeout=WAIT_SECONDS)
        self._callers = ThreadPoolExecutor(max_workers=32)
        self._server = server_for(chosen, engine)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.let_through(1000)
        self._callers.shutdown()
        self.client.close()
        self.stop()
        self._thread.join(WAIT_SECONDS)
        self._listener.close()

    def stop(self) -> None:
        """Do what the signal to stop does."""
        self._server.should_exit = True

    def upload(self, picture: bytes) -> str:
        answer = self.client.post("assets", content=picture)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["path"])

    def age(self, picture: str, age: int = 30, key: str | None = None) -> httpx.Response:
        headers = {IDEMPOTENCY_HEADER: key} if key else {}
        body = {"source_path": picture, "face_editor_age": age}
        return self.client.post("adjust-face", json=body, headers=headers)

    def age_meanwhile(
        self, picture: str, age: int = 30, key: str | None = None
    ) -> Future[httpx.Response]:
        return self._callers.submit(self.age, picture, age, key)

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get("status").json()
        return answer


OpenHost = Callable[..., ThreadedHost]
"""Takes an engine, or whether it is gated, and settings; the host is closed after the test."""


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and error code, after checking that an error has exactly its form."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "retryable"}
    assert error["message"].endswith(".")
    return answer.status_code, error["code"]


class HeldUp:
    """A piece of the host's work that waits for the test.

    Attributes:
        entered: Set when it is come to.
        go_on: Lets it be done.
    """

    def __init__(self, patch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        self.entered = threading.Event()
        self.go_on = threading.Event()
        work = getattr(owner, name)

        def held_up(*given: object) -> object:
            self.entered.set()
            self.go_on.wait(60)
            return work(*given)

        patch.setattr(owner, name, held_up)

    @classmethod
    def encoding(cls, patch: pytest.MonkeyPatch) -> Self:
        return cls(patch, runner.OperationRunner, "_answer")

    @classmethod
    def decoding(cls, patch: pytest.MonkeyPatch) -> Self:
        return cls(patch, runner, "_decoded")
