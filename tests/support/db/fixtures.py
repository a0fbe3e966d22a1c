"""Databases on both topologies that StoryCanvas installations run.

A connection lasts for the whole session, a database for one test. Most tests need one topology only
and take `database`, on the replica set; `any_database` is for those where transactions, write
concerns or recovery differ.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from db.connection import connect
from db.setup.apply import initialise
from storycanvas.services.mongod import Mongod
from storycanvas.services.process import Program
from storycanvas.services.shared import acquire
from tests.support.db.database_state import Data


@pytest.fixture(scope="session")
def replica_set(mongo_url: str) -> Iterator[Data]:
    opened = connect(mongo_url, "admin")
    # Dropping a database on a replica set waits for the journal, which is written every 100 ms;
    # at 1 ms a mongod that idles would take 7% of a core.
    opened.command("setParameter", 1, journalCommitInterval=5)
    yield opened
    opened.client.close()


@pytest.fixture(scope="session")
def standalone_server(standalone_url: str) -> Iterator[Data]:
    opened = connect(standalone_url, "admin")
    yield opened
    opened.client.close()


@contextmanager
def empty_database(server: Data) -> Iterator[Data]:
    """Open a database of a new name, and drop it in the end."""
    name = f"test_{uuid4().hex}"
    yield server.client.get_database(name, codec_options=server.codec_options)
    server.client.drop_database(name)


@pytest.fixture
def database(replica_set: Data) -> Iterator[Data]:
    """An empty database of its own for each test."""
    with empty_database(replica_set) as database:
        yield database


@pytest.fixture
def standalone(standalone_server: Data) -> Iterator[Data]:
    """An empty database without transactions; the server is twice as fast as the replica set."""
    with empty_database(standalone_server) as database:
        yield database


@pytest.fixture(
    scope="module", params=["mongo_url", "standalone_url"], ids=["replica set", "standalone"]
)
def any_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture(scope="module")
def any_server(request: pytest.FixtureRequest, any_url: str, mongo_url: str) -> Data:
    name = "replica_set" if any_url == mongo_url else "standalone_server"
    server: Data = request.getfixturevalue(name)
    return server


@pytest.fixture
def any_database(any_server: Data) -> Iterator[Data]:
    """An empty database on a replica set, then one on a standalone server."""
    with empty_database(any_server) as database:
        yield database


@pytest.fixture(scope="session")
def initialised_database(standalone_server: Data) -> Iterator[Data]:
    """A database that refuses what its validators do not know."""
    with empty_database(standalone_server) as database:
        initialise(database, "error")
        yield database


@pytest.fixture
def data(initialised_database: Data) -> Data:
    """The same, emptied before each test."""
    for name in _filled(initialised_database):
        initialised_database[name].delete_many({})
    return initialised_database


def _filled(database: Data) -> list[str]:
    """Name the collections that hold documents, by one query instead of one each."""
    first, *others = database.list_collection_names()

    def one_document(name: str) -> list[dict[str, Any]]:
        return [{"$limit": 1}, {"$project": {"_id": False, "name": name}}]

    united = [{"$unionWith": {"coll": name, "pipeline": one_document(name)}} for name in others]
    return [found["name"] for found in database[first].aggregate([*one_document(first), *united])]


class GuardedMongod(Mongod):
    """A standalone server that asks for a user and a password."""

    name = "guarded_mongod"

    def program(self, directory: Path, port: int) -> Program:
        usual = super().program(directory, port)
        return Program((*usual.argv, "--auth"), usual.directory, usual.environment)


@pytest.fixture
def guarded_url(tmp_path: Path) -> Iterator[str]:
    """A server with a user `app` who may read and write, and a user `viewer` who may read."""
    with acquire(GuardedMongod(standalone=True), tmp_path) as lease:
        root, admin = "root", connect(lease.url, "admin")
        admin.command("createUser", root, pwd=root, roles=["root"])
        admin.client.close()
        admin = connect(with_user(lease.url, "root"), "admin")
        for name, role in (("app", "readWrite"), ("viewer", "read"), ("stranger", "read")):
            roles = [{"role": role, "db": "elsewhere" if name == "stranger" else "story"}]
            admin.command("createUser", name, pwd=name, roles=roles)
        admin.client.close()
        yield lease.url


def with_user(url: str, name: str) -> str:
    return url.replace("mongodb://", f"mongodb://{name}:{name}@") + "&authSource=admin"


def as_user(url: str, name: str) -> Data:
    return connect(with_user(url, name), "story")
