"""Jobs as any program may write them: none leads to this machine, and none stops the queue."""

import math
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from bson.datetime_ms import DatetimeMS

from tests.support.db.odd_documents import Broken, raw
from tests.support.flows.jobs import all_jobs, drained, insert_jobs, stored_portrait
from tests.support.flows.world import World

WITHOUT_SENSE = ["job-5", "job-6", "job-7"]
YEAR_60000 = DatetimeMS(60_000 * 365 * 24 * 3600 * 1000)


class Listener:
    """A port of this machine that counts who connects."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        self._thread = threading.Thread(target=self._count)
        self._thread.start()

    def _count(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                if connection.recv(1) == b"":
                    return
            self.connections += 1

    def close(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._socket.close()


@pytest.fixture
def secret() -> Iterator[Listener]:
    """A service of this machine that no document may reach."""
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def redirecting(secret: Listener, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that documents may name, and that leads to the one that they may not."""

    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{secret.port}/secret.png")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Redirecting)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("IMAGE_URL_HOSTS", f"127.0.0.1:{server.server_port}")
    yield f"http://127.0.0.1:{server.server_port}/there.png"
    server.shutdown()
    thread.join()
    server.server_close()


def naming(address: str, portrait: str) -> list[dict[str, Any]]:
    """Jobs that name an address in each place where a job may name a picture."""
    operations = [{"type": "enhance", "image_url": address}]
    chain = {"chain": "enhance-and-age", "pictures": {"start": address}}
    swap = {"source_face_url": address, "target_image_url": portrait}
    settings = {"image_url": portrait, "settings": {"reference_image": address}}
    return [
        {"job_type": "enhance", "input_data": {"image_url": address}},
        {"job_type": "swap", "input_data": swap},
        {"input_data": {"operations": operations}},
        {"job_type": "chain", "input_data": chain},
        {"job_type": "edit", "input_data": {**settings, "mouth_smile": 40}},
        {"job_type": "enhance", "input_data": {"image_url": portrait, "preset": address}},
    ]


def test_a_job_leads_to_no_file_and_no_server_of_this_machine(
    world: World, secret: Listener, redirecting: str
) -> None:
    portrait = stored_portrait(world)
    own = f"127.0.0.1:{secret.port}/secret.png"
    addresses = [
        "/etc/hostname",
        "file:///etc/hostname",
        f"http://{own}",
        f"https://{own}",
        f"http://localhost:{secret.port}/secret.png",
        f"http://[::ffff:127.0.0.1]:{secret.port}/secret.png",
        f"http://2130706433:{secret.port}/secret.png",
        f"http://a:b@{own}",
        redirecting,
    ]
    jobs = [job for address in addresses for job in naming(address, portrait)]
    insert_jobs(world, *jobs)
    world.database["facefusion_presets"].insert_many(
        [
            {
                "id": address,
                "name": address,
                "operation_type": "enhance",
                "parameters": {"reference_image": address},
                "is_public": True,
            }
            for address in addresses
        ]
    )

    report = drained()

    assert report.counts == {"failed": len(jobs)}
    assert secret.connections == 0
    for job in all_jobs(world):
        by_preset = "preset" in job["input_data"]
        wanted = "bad_field" if by_preset else "picture_not_allowed"
        assert job["error_code"] == wanted, job["error_message"]
    assert world.database["facefusion_operations"].count_documents({"output": {"$ne": None}}) == 0


def test_no_document_stops_the_queue_for_the_others(world: World) -> None:
    data = {"image_url": stored_portrait(world)}
    jobs = world.database["facefusion_jobs"]
    jobs.insert_one(raw(("status", "queued"), ("id", "broken"), ("job_type", Broken(b"\xff"))))
    jobs.insert_one({"status": "queued", "job_type": "detect", "input_data": data})
    insert_jobs(
        world,
        {"job_type": "detect", "input_data": data, "started_at": YEAR_60000},
        {"job_type": "detect", "input_data": data, "attempts": "two"},
        {"job_type": "detect", "input_data": data, "priority": math.nan},
        {"job_type": "detect", "input_data": data, "priority": math.inf},
        {"job_type": "detect", "input_data": data, "not_before": "soon"},
        {"job_type": ["detect"], "input_data": data},
        {"job_type": "detect", "input_data": [data]},
        {"job_type": "detect", "input_data": data, "character_id": {"$ne": None}},
        {"job_type": "detect", "input_data": data},
    )

    report = drained()

    assert report.counts == {"completed": 6, "failed": 4}
    assert sorted(jobs.distinct("id", {"status": "failed"})) == ["broken", *WITHOUT_SENSE]
    assert jobs.count_documents({"id": None, "status": "queued"}) == 1
    assert jobs.count_documents({"status": "failed", "error_code": "bad_field"}) == 4
