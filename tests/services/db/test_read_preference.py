"""A connection string that weakens reads or writes, on a real set of two, one of which lags.

A lock on its files keeps the secondary from taking what is written.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient, WriteConcern
from pymongo.errors import OperationFailure

from db.connection import LONG_ANSWER_SECONDS, connect, settled, translated_errors
from db.errors import WriteNotConfirmed
from db.migrations.engine.migration import load_migrations
from storycanvas.services.mongod import find_mongod
from storycanvas.services.ports import LOOPBACK, choose_port
from tests.support.db.database_state import assert_nothing_is_lost, fields
from tests.support.db.migrating import migrator

NAME = "two"
START_SECONDS = 60
LOCK = {"_id": "migrations"}
EACH = WriteConcern(2)


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


@contextmanager
def lagging_set(folder: Path, *, votes: int) -> Iterator[str]:
    """Run a set whose secondary takes nothing more from the primary; give its connection string."""
    ports = [choose_port(()) for _ in range(2)]
    with member(folder / "primary", ports[0]), member(folder / "secondary", ports[1]):
        members: list[dict[str, Any]] = [
            {"_id": number, "host": f"{LOOPBACK}:{port}"} for number, port in enumerate(ports)
        ]
        members[1] |= {"priority": 0, "votes": votes}
        with direct(ports[0]) as primary, direct(ports[1]) as secondary:
            quick = {"heartbeatIntervalMillis": 200, "electionTimeoutMillis": 1000}
            config = {"_id": NAME, "members": members, "settings": quick}
            secondary.admin.command("ping")  # the set is refused while a member does not answer
            primary.admin.command("replSetInitiate", config)
            wait_for_both(primary)
            # Reading what most members have waits for the collection itself to be there.
            settled(primary.get_database("story", write_concern=EACH))["locks"].insert_one({})
            lock(secondary)
        hosts = ",".join(member["host"] for member in members)
        yield f"mongodb://{hosts}/?replicaSet={NAME}"


@pytest.fixture
def lagging_url(tmp_path: Path) -> Iterator[str]:
    """Prefers the secondary, which lags and has no vote."""
    with lagging_set(tmp_path, votes=0) as url:
        yield f"{url}&readPreference=secondaryPreferred"


@pytest.fixture
def voting_url(tmp_path: Path) -> Iterator[str]:
    """Names a set of which no majority confirms a write."""
    with lagging_set(tmp_path, votes=1) as url:
        yield url


def direct(port: int) -> MongoClient[dict[str, Any]]:
    return MongoClient(LOOPBACK, port, directConnection=True)


def wait_for_both(primary: MongoClient[dict[str, Any]]) -> None:
    end = time.monotonic() + START_SECONDS
    states: list[str] = []
    while states != ["PRIMARY", "SECONDARY"]:
        assert time.monotonic() < end, states
        time.sleep(0.1)
        status = primary.admin.command("replSetGetStatus")
        takes_writes = primary.admin.command("hello")["isWritablePrimary"]
        states = [member["stateStr"] for member in status["members"] if takes_writes]


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

    before = fields(database)

    report = migrator(database).apply("latest")
    again = migrator(database).apply("latest")

    assert [move.number for move in report.moves] == [each.number for each in load_migrations()]
    assert again.moves == ()
    assert {each["status"] for each in database["migrations"].find()} == {"applied"}
    assert_nothing_is_lost(before, fields(database))
    database.client.close()


def test_a_write_counts_only_when_most_members_confirm_it(voting_url: str) -> None:
    """Else the change of the primary loses it: w=1 is confirmed by the one that is lost."""
    database = connect(f"{voting_url}&w=1&wtimeoutMS=300", "story")

    with pytest.raises(WriteNotConfirmed), translated_errors():
        database["locks"].insert_one({**LOCK})

    assert database["locks"].count_documents(LOCK) == 1
    assert settled(database)["locks"].count_documents(LOCK) == 0
    database.client.close()


def test_migrating_without_a_majority_ends_with_a_sentence_within_a_lease(voting_url: str) -> None:
    database = connect(voting_url, "story", answer_seconds=LONG_ANSWER_SECONDS)
    began = time.monotonic()

    with pytest.raises(WriteNotConfirmed, match="Most members"):
        migrator(database, lease=timedelta(seconds=1)).apply("latest")

    assert time.monotonic() - began < 50  # ten times the bound: it waits for one lease
    database.client.close()
