"""`DELETE operations/{id}`: an operation ends in whatever phase it is, and its key can be used."""

import io
from collections.abc import Sequence

import pytest
from PIL import Image

from deployments.sample import PORTRAIT
from storycanvas.faces.contract import IDEMPOTENCY_HEADER
from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.engines.cancelling import current_cancellation
from storycanvas.host.engines.engine import EngineResult
from tests.support.host.gated_engine import GatedEngine, OpenPreview
from tests.support.host.picture_server import PictureServer
from tests.support.host.pictures import encoded
from tests.support.host.started_host import wait_until
from tests.support.host.submitting import ASYNC, read, submitted, until
from tests.support.host.threaded_host import HeldUp, OpenHost, ThreadedHost, code

KEY = "cancelled-key"


class EndableEngine(GatedEngine):
    """Its running call can be ended from outside, as a process can be killed."""

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        with current_cancellation().ended_by(self.let_through):
            result = super().run(operation, pictures)
            current_cancellation().check()
            return result


def cancelled(host: ThreadedHost, operation_id: str) -> str:
    answer = host.client.delete(f"operations/{operation_id}")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["state"])


def test_a_waiting_operation_ends_at_once_and_gives_its_place_back(open_host: OpenHost) -> None:
    host = open_host(gated=True, queue=1)
    picture = host.upload(encoded())
    running, waiting = submitted(host, picture, 30), submitted(host, picture, 40, KEY)
    host.engine.began.get(timeout=30)
    assert cancelled(host, waiting.id) == "cancelled"
    assert host.status()["queued"] == 0
    ended = read(host, waiting.id)
    assert ended.error is not None
    assert (ended.error.code, ended.error.retryable) == ("cancelled", False)
    again = submitted(host, picture, 40, KEY)
    assert again.id == waiting.id
    host.engine.let_through(2)
    until(host, running.id, "succeeded")
    assert until(host, again.id, "succeeded").error is None
    assert len(host.engine.calls) == 2


def test_a_running_operation_ends_and_its_slot_is_free_at_once(open_host: OpenHost) -> None:
    host = open_host(EndableEngine(gated=True))
    picture = host.upload(encoded())
    running, waiting = submitted(host, picture, 30, KEY), submitted(host, picture, 40)
    host.engine.began.get(timeout=30)
    assert cancelled(host, running.id) == "cancelled"
    host.engine.began.get(timeout=5)  # the next one has the slot
    host.engine.let_through()
    until(host, waiting.id, "succeeded")
    assert host.status() | {"operations": 1, "busy": 0, "queued": 0} == host.status()
    host.engine.let_through()
    until(host, submitted(host, picture, 30, KEY).id, "succeeded")
    assert [path.suffix for path in (host.data_dir / "results").iterdir()] == []


def test_an_engine_that_cannot_be_ended_keeps_its_slot_until_it_ends(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    picture = host.upload(encoded())
    running = submitted(host, picture, 30, KEY)
    host.engine.began.get(timeout=30)
    assert cancelled(host, running.id) == "cancelled"
    assert host.status()["busy"] == 1
    again = submitted(host, picture, 30, KEY)
    assert read(host, again.id).state == "waiting"
    host.engine.let_through(2)
    until(host, again.id, "succeeded")
    assert host.engine.most_at_once == 1


@pytest.mark.parametrize("phase", ["decoding", "encoding"])
def test_an_operation_whose_picture_is_worked_on_ends(
    open_host: OpenHost, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    held = HeldUp.decoding(monkeypatch) if phase == "decoding" else HeldUp.encoding(monkeypatch)
    host = open_host()
    picture = host.upload(encoded())
    taken = submitted(host, picture, key=KEY)
    assert held.entered.wait(30)
    assert read(host, taken.id).phase == phase
    assert cancelled(host, taken.id) == "cancelled"
    held.go_on.set()
    assert_idle_and_clean(host)
    assert until(host, submitted(host, picture, key=KEY).id, "succeeded").result


def assert_idle_and_clean(host: ThreadedHost) -> None:
    """Check that nothing runs or waits any more, and nothing half-written is left."""
    wait_until(lambda: host.status() | {"busy": 0, "queued": 0} == host.status())
    wait_until(lambda: list(host.data_dir.rglob("*.part")) == [])


def test_an_operation_that_waits_for_the_server_of_its_picture_ends(
    open_host: OpenHost, picture_server: PictureServer
) -> None:
    host = open_host(allow_url_hosts=[picture_server.address], queue=0)
    hanging = f"http://{picture_server.address}/hangs"
    taken = submitted(host, hanging, key=KEY)
    wait_until(lambda: "/hangs" in picture_server.paths)
    assert cancelled(host, taken.id) == "cancelled"
    assert_idle_and_clean(host)
    good = submitted(host, f"http://{picture_server.address}/good.jpg", key=KEY)
    assert until(host, good.id, "succeeded").id == taken.id


def test_an_operation_that_is_decoded_and_waits_for_its_slot_ends(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    picture = host.upload(encoded())
    running, ready = submitted(host, picture, 30), submitted(host, picture, 40, KEY)
    host.engine.began.get(timeout=30)
    wait_until(lambda: read(host, ready.id).phase == "ready")
    assert cancelled(host, ready.id) == "cancelled"
    again = submitted(host, picture, 40, KEY)
    host.engine.let_through(2)
    for operation in (running, again):
        until(host, operation.id, "succeeded")
    assert_idle_and_clean(host)
    assert len(host.engine.calls) == 2


def test_the_preview_engine_ends_before_the_next_face(open_host: OpenHost) -> None:
    host = open_host(OpenPreview())
    face = Image.open(PORTRAIT).convert("RGB").resize((800, 800))
    sheet = Image.new("RGB", (1600, 1600))
    for corner in ((0, 0), (800, 0), (0, 800), (800, 800)):
        sheet.paste(face, corner)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", compress_level=1)
    body = {"source_path": host.upload(buffer.getvalue()), "face_selector_mode": "many"}
    headers = ASYNC | {IDEMPOTENCY_HEADER: KEY}
    taken = host.client.post("enhance-face", json=body, headers=headers).json()["id"]
    until(host, taken, "running")
    assert cancelled(host, taken) == "cancelled"
    assert_idle_and_clean(host)
    assert len(list((host.data_dir / "assets").iterdir())) == 1, "an output is kept"
    assert host.status()["operations"] == 0
    again = host.client.post("enhance-face", json=body, headers=headers).json()["id"]
    done = until(host, again, "succeeded").result
    assert done is not None
    assert done.faces_detected == 4


def test_a_cancellation_is_idempotent_and_changes_no_end(open_host: OpenHost) -> None:
    host = open_host()
    picture = host.upload(encoded())
    done = until(host, submitted(host, picture).id, "succeeded")
    assert [cancelled(host, done.id) for _ in range(2)] == ["succeeded"] * 2
    assert read(host, done.id) == done


def test_a_request_that_waits_is_told_of_the_cancellation(open_host: OpenHost) -> None:
    host = open_host(gated=True)
    picture = host.upload(encoded())
    joined = host.age_meanwhile(picture, key=KEY)
    host.engine.began.get(timeout=30)
    listed = host.client.get("operations", params={"state": "running"}).json()["operations"]
    assert cancelled(host, listed[0]["id"]) == "cancelled"
    assert code(joined.result()) == (409, "cancelled")
