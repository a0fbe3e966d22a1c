import shutil
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from db.setup.apply import initialise
from deployments.sample import add_sample_character
from storycanvas.services.mongod import Mongod
from storycanvas.services.ports import LOOPBACK
from storycanvas.services.shared import acquire, find_running
from tests.support.db.database_state import documents, shape
from tests.support.services import WebServer


def connect(url: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(url, serverSelectionTimeoutMS=10_000)


def test_a_replica_set_of_one_node_takes_transactions(tmp_path: Path) -> None:
    with acquire(Mongod(), tmp_path) as lease, connect(lease.url) as client:
        with client.start_session() as session, session.start_transaction():
            client.app.scenes.insert_one({"_id": 1}, session=session)
        assert client.admin.command("hello")["setName"] == "rs0"


def test_a_standalone_server_belongs_to_no_set_and_takes_writes(tmp_path: Path) -> None:
    with acquire(Mongod(standalone=True), tmp_path) as lease, connect(lease.url) as client:
        client.app.scenes.insert_one({"_id": 1})
        assert "setName" not in client.admin.command("hello")


@pytest.mark.parametrize("changed", [False, True], ids=["set to set", "standalone to set"])
def test_what_was_written_is_there_after_a_restart_on_another_port(
    tmp_path: Path, *, changed: bool
) -> None:
    with acquire(Mongod(standalone=changed), tmp_path) as before, connect(before.url) as client:
        client.app.scenes.insert_one({"_id": 1})
    occupant = WebServer(preferred_port=before.record.port)
    with acquire(occupant, tmp_path), acquire(Mongod(), tmp_path) as after:
        assert after.record.port != before.record.port
        with connect(after.url) as client:
            client.app.scenes.insert_one({"_id": 2})
            assert client.app.scenes.count_documents({}) == 2


def test_a_set_runs_as_a_standalone_server_and_as_a_set_again(tmp_path: Path) -> None:
    for standalone in (False, True, False):
        service = Mongod(standalone=standalone)
        with acquire(service, tmp_path) as lease, connect(lease.url) as client:
            client.app.scenes.insert_one({})
    assert find_running("mongod", tmp_path) is None


def test_it_listens_on_loopback_only_and_leaves_no_socket_file(tmp_path: Path) -> None:
    with acquire(Mongod(), tmp_path) as lease, connect(lease.url) as client:
        options = client.admin.command("getCmdLineOpts")["parsed"]["net"]
    assert options["bindIp"] == LOOPBACK
    assert not Path(f"/tmp/mongodb-{lease.record.port}.sock").exists()  # noqa: S108 - its own name


def test_a_copy_of_the_files_is_the_same_database(tmp_path: Path) -> None:
    with acquire(Mongod(), tmp_path / "lived") as lease, connect(lease.url) as client:
        initialise(client.app)
        add_sample_character(client.app)
        before = shape(client.app), documents(client.app)
    shutil.copytree(tmp_path / "lived/mongod/data", tmp_path / "copied/mongod/data")

    with acquire(Mongod(), tmp_path / "copied") as again, connect(again.url) as client:
        assert (shape(client.app), documents(client.app)) == before
        assert client.app.characters.count_documents({}) == 1
