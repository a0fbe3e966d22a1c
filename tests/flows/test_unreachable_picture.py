"""An address that leads to no picture fails the run soon; while it waits, its state says why."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flows.age_progression import age_progression
from storycanvas.faces.recipes.steps import Choice
from tests.support.flows.runs import messages_of, set_retries
from tests.support.flows.world import CHARACTER, World

NOWHERE = "http://127.0.0.1:1/face.png"
WAITING = "Waiting before the first operation: "


class BusyOnce(BaseHTTPRequestHandler):
    """Answers 503 to the first request, then the server's picture."""

    def do_GET(self) -> None:
        busy, self.server.busy = self.server.busy, False  # type: ignore[attr-defined]
        body = b"" if busy else self.server.picture  # type: ignore[attr-defined]
        self.send_response(503 if busy else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def busy_once(world: World) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BusyOnce)
    server.busy = True  # type: ignore[attr-defined]
    server.picture = Path(world.character()["reference_images"][0]).read_bytes()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/face.png"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("tries_left", [8, 0])
def test_a_mistyped_address_is_told_after_two_tries(
    world: World, monkeypatch: pytest.MonkeyPatch, tries_left: int
) -> None:
    set_retries(monkeypatch, tries_left, seconds=0.1)
    before, began = world.everything(), time.monotonic()

    state = age_progression(CHARACTER, base_image=NOWHERE, return_state=True)

    reason = f"The picture {NOWHERE} cannot be fetched (ConnectError)"
    waiting = [message for message in messages_of(state) if message.startswith(WAITING)]
    assert time.monotonic() - began < 60  # usually 2 s
    assert state.is_failed()
    assert reason in (state.message or "")
    assert len(waiting) == (1 if tries_left else 0)
    assert all(reason in message for message in waiting)
    assert world.everything() == before


def test_the_reason_goes_when_the_wait_is_over(
    busy_once: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_retries(monkeypatch, 8, seconds=0.1)

    state = age_progression(
        CHARACTER, ages=[45], base_image=busy_once, enhance=Choice.NONE, return_state=True
    )

    told = messages_of(state)
    waiting = [message.startswith(WAITING) for message in told]
    assert state.is_completed()
    assert sum(waiting) == 1
    assert "HTTP 503" in told[waiting.index(True)]
    assert told[waiting.index(True) + 1] == ""
