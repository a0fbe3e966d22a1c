"""A connection string that prefers secondaries, on a real set of two members, one of which lags.

A lock on its files keeps the secondary from taking what is written.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from db.connection import connect
from db.migrations.engine.migration import load_migrations
from storycanvas.services.mongod import find_mongod
from storycanvas.services.ports import LOOPBACK, choose_port
from tests.support.db.migrating import migrator

NAME = "two"
START_SECONDS = 60


@contextmanager
def member(folder: Path, port: int) -> Iterator[None]:
    folder.mkdir()
    command = [str(find_mongod()), "--bind_ip", LOOPBACK, "--port", str(port), "--replSet", NAME]
    command += ["--dbpath", str(folder), "--nounixsocket", "--quiet", "--oplogSize", "64"]
    command += ["--wiredTigerCacheSizeGB", "0.25"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()  # a locked member does not end by itself, and its files go anyway
        process.wait(30)


@pytest.fixture
def lagging_url(tmp_path: Path) -> Iterator[str]:
    """Prefers the secondary, which takes nothing more from the primary."""
    ports = [choose_port(()) for _ in range(2)]
    with member(tmp_path / "primary", ports[0]), member(tmp_path / "secondary", ports[1]):
        members: list[dict[str, Any]] = [
            {"_id": number, "host": f"{LOOPBACK}:{port}"} for number, port in enumerate(ports)
        ]
        members[1] |= {"priority": 0, "votes": 0}
        with direct(ports[0]) as primary, direct(ports[1]) as secondary:
            quick = {"heartbeatIntervalMillis": 200, "electionTimeoutMillis": 1000}
            config = {"_id": NAME, "members": members, "settings": quick}
            secondary.admin.command("ping")  # the set is refused while a member does not answer
            primary.admin.command("replSetInitiate", config)
            wait_for_both(primary)
            lock(secondary)
        hosts = ",".join(member["host"] for member in members)
        yield f"mongodb://{hosts}/?replicaSet={NAME}&readPreference=secondaryPreferred"


def direct(port: int) -> MongoClient[dict[str, Any]]:
    return MongoClient(LOOPBACK, port, directConnection=True)


def wait_for_both(primary: MongoClient[dict[str, Any]]) -> None:
    end = time.monotonic() + START_SECONDS
    states: list[str] = []
    while states != ["PRIMARY", "SECONDARY"]:
        assert time.monotonic() < end, states
        time.sleep(0.1)
        status = primary.admin.command("replSetGetStatus")
        states = [member["stateStr"] for member in status["members"]]


def lock(secondary: MongoClient[dict[str, Any]]) -> None:
    """Keep it from writing, as soon as its first data is older than what is settled."""
    while True:
        with suppress(OperationFailure):
            secondary.admin.command("fsync", lock=True)
            return
        time.sleep(0.1)


def test_migrations_read_their_records_from_the_primary(lagging_url: str) -> None:
    database = connect(lagging_url, "story")
    database["characters"].insert_one({"id": "1", "project_id": "1", "name": "Mira"})

    report = migrator(database).apply("latest")
    again = migrator(database).apply("latest")

    assert [move.number for move in report.moves] == [each.number for each in load_migrations()]
    assert again.moves == ()
    assert {each["status"] for each in database["migrations"].find()} == {"applied"}
    database.client.close()
