"""An address that leads to no picture fails the run soon; while it waits, its state says why."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State

from flows.age_progression import age_progression
from storycanvas.faces.recipes.steps import Choice
from storycanvas.faces.report import FaceRunReport
from tests.support.flows.runs import set_retries
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


def messages(state: State[FaceRunReport]) -> list[str]:
    """The messages of a run's states, the oldest first."""
    run = state.state_details.flow_run_id
    assert run
    with get_client(sync_client=True) as client:
        states = client.read_flow_run_states(run)
    return [found.message or "" for found in sorted(states, key=lambda found: found.timestamp)]


@pytest.mark.parametrize("tries_left", [8, 0])
def test_a_mistyped_address_is_told_after_two_tries(
    world: World, monkeypatch: pytest.MonkeyPatch, tries_left: int
) -> None:
    set_retries(monkeypatch, tries_left, seconds=0.1)
    before, began = world.everything(), time.monotonic()

    state = age_progression(CHARACTER, base_image=NOWHERE, return_state=True)

    reason = f"The picture {NOWHERE} cannot be fetched (ConnectError)"
    waiting = [message for message in messages(state) if message.startswith(WAITING)]
    assert time.monotonic() - began < 10
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

    told = messages(state)
    waiting = [message.startswith(WAITING) for message in told]
    assert state.is_completed()
    assert sum(waiting) == 1
    assert "HTTP 503" in told[waiting.index(True)]
    assert told[waiting.index(True) + 1] == ""
