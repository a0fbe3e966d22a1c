"""Nights of the scheduled flows over a database that the app writes to all the while.

Two nights, and ten where `TEST_APP_BACKEND` names the back end's folder (docs/contributing.md).
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from flows.audit_db import audit_db
from flows.check_hosts import check_hosts
from flows.init_db import init_db
from flows.maintain_model_catalog import maintain_model_catalog
from flows.migrate_db import migrate_db
from tests.support.app_backend import FOLDER, LOCAL_MODEL, app_backend
from tests.support.app_documents import AppWriter
from tests.support.catalog.civitai_server import CivitaiServer, page
from tests.support.catalog.comfyui_server import ComfyuiServer
from tests.support.catalog.sample_catalog import comfyui_answers, pages

Data = Database[dict[str, Any]]
Write = Callable[[int], object]
NIGHTS = 10 if FOLDER else 2
PAUSE_SECONDS = 2.0
"""Between two rounds of writes, each of which adds ComfyUI servers that do not answer."""
MOVING = {"last_seen", "last_check", "compared_at", "listing_digest", "last_synced_at"}
"""What a night may change of what the nights before wrote: when it was seen."""
NOT_OF_THE_APP = {"id": {"$ne": LOCAL_MODEL["id"]}}
CATALOG = ("active_backend_models", "civitai_models", "model_sync_status", "database_models")


@pytest.fixture
def installed(configured: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Data]:
    """A database with a ComfyUI server and a Civitai, after init-db and migrate-db."""
    monkeypatch.setenv("IMAGE_STORE", (tmp_path / "images").as_uri())
    with ComfyuiServer(comfyui_answers()) as comfyui, CivitaiServer() as civitai:
        civitai.pages = {None: page([item for each in pages() for item in each])}
        monkeypatch.setenv("CIVITAI_URL", civitai.url)
        configured["comfyui_servers"].insert_one(
            {"id": "box", "name": "Box", "url": comfyui.url, "is_active": True}
        )
        configured["database_models"].insert_one({**LOCAL_MODEL})
        init_db(validation_action="error")
        migrate_db()
        yield configured


@pytest.fixture(params=["documents as the back end wrote them", "the back end"])
def write(
    request: pytest.FixtureRequest, installed: Data, mongo_url: str, tmp_path: Path
) -> Iterator[Write]:
    """Write everything that a client of the app writes, once a number."""
    if request.param != "the back end":
        yield AppWriter(installed).write
    elif FOLDER:
        with app_backend(tmp_path, mongo_url, installed.name) as client:
            client.ids["model_id"] = [LOCAL_MODEL["id"]]
            yield client.write
    else:
        pytest.skip("TEST_APP_BACKEND names no folder")


def wait_for_writes(rounds: list[int], before: int) -> None:
    """Wait until a round has ended since the rounds were counted."""
    while rounds[-1] == before:
        threading.Event().wait(0.05)


@contextmanager
def writing(write: Write) -> Iterator[list[int]]:
    """Write in another thread, again and again; yields the numbers of the rounds so far."""
    over, rounds = threading.Event(), [0]

    def go_on() -> None:
        while not over.is_set():
            write(rounds[-1] + 1)
            rounds.append(rounds[-1] + 1)
            over.wait(PAUSE_SECONDS)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(go_on)
        try:
            yield rounds
        finally:
            over.set()
            future.result(120)


def catalog(database: Data) -> dict[str, dict[str, Any]]:
    """What the nights wrote of the catalog, without what moves each night."""
    return {
        f"{name} {document['_id']}": {
            key: value for key, value in document.items() if key not in MOVING
        }
        for name in CATALOG
        for document in database[name].find(
            {"id": {"$ne": LOCAL_MODEL["id"]}}
        )  # which the app changes
    }


@pytest.mark.timeout(600)
def test_nights_repair_nothing_twice_and_find_nothing_that_the_app_causes(
    installed: Data, write: Write
) -> None:
    repaired: list[object] = []
    found: set[str] = set()
    after: list[dict[str, dict[str, Any]]] = []
    with writing(write) as rounds:
        for _ in range(NIGHTS):
            before = rounds[-1]
            migrate_db(dry_run=True)
            maintained = maintain_model_catalog(return_state=True)
            initialised = init_db()
            audited = audit_db(sample_size=None)
            check_hosts()

            assert maintained.is_completed(), maintained.message
            repaired += [*initialised.changed, *initialised.blocked]
            found |= {str(each) for each in audited.findings if each.kind != "unused index"}
            after.append(catalog(installed))
            wait_for_writes(rounds, before)

    assert repaired == []
    assert found == set()
    first, last = after[0], after[-1]
    assert {name: last[name] for name in first} == first
