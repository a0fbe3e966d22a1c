"""A MongoDB that is killed in the middle of a flow ends the run after five tries, in a sentence."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prefect import Flow
from pymongo import MongoClient, monitoring
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from db.connection import TRIES
from db.connection_string import DEFAULT_NAME
from flows.audit_db import audit_db
from flows.init_db import init_db
from flows.purge_deleted import purge_deleted
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire
from tests.support.db.database_state import Data
from tests.support.flows.runs import set_retries

PROJECT = {"_id": 1, "id": "story", "name": "Story", "by_the_app": ["kept"]}
MIDDLE = 6
"""Commands after the connection; each of the flows sends more."""


class ServerKiller(CommandListener):
    """Kills a server right before its n-th command.

    PyMongo gives it to each client that is made later, and has no way to take it back.
    """

    def __init__(self) -> None:
        self.pid = 0
        self.left = 0

    def started(self, event: CommandStartedEvent) -> None:
        if self.pid and event.command_name != "hello":
            self.left -= 1
            if self.left == 0:
                os.kill(self.pid, signal.SIGKILL)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Go on."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Go on."""


@pytest.fixture(scope="module")
def killer() -> ServerKiller:
    killer = ServerKiller()
    monitoring.register(killer)
    return killer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("killed")


@contextmanager
def story(url: str) -> Iterator[Data]:
    with MongoClient[dict[str, Any]](url, journal=True) as client:
        yield client[DEFAULT_NAME]


@pytest.fixture
def doomed(
    prefect: None,  # noqa: ARG001 - it names the server
    folder: Path,
    killer: ServerKiller,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Name a server that is killed in the middle of the run."""
    with acquire(Mongod(standalone=True), folder) as lease:
        with story(lease.url) as database:
            database["projects"].replace_one({"_id": 1}, dict(PROJECT), upsert=True)
        monkeypatch.setenv("MONGO_URL", f"{lease.url}&serverSelectionTimeoutMS=100")
        set_retries(monkeypatch, TRIES - 1)
        killer.pid, killer.left = lease.record.pid, MIDDLE
        yield
        killer.pid = 0


@pytest.mark.parametrize("flow", [init_db, audit_db, purge_deleted])
@pytest.mark.usefixtures("doomed")
def test_a_server_killed_in_the_middle_ends_the_run_after_five_tries(
    flow: Flow[[], object],
    killer: ServerKiller,
    caplog: pytest.LogCaptureFixture,
    folder: Path,
) -> None:
    state = flow(return_state=True)

    assert killer.left == 0, "the server was not killed"
    assert state.is_failed()
    assert "MongoDB does not answer" in (state.message or "")
    again = [line for line in caplog.messages if " - Retry " in line]
    assert len(again) == TRIES - 1
    assert all("MongoDB does not answer" in line for line in again)
    killer.pid = 0
    with acquire(Mongod(standalone=True), folder) as lease, story(lease.url) as database:
        assert [*database["projects"].find()] == [PROJECT]
