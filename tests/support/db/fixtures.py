"""Databases of both kinds that StoryCanvas installations run."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo.database import Database

from db.connection import connect
from db.setup.apply import initialise

Document = dict[str, Any]


@pytest.fixture(params=["mongo_url", "standalone_url"], ids=["replica set", "standalone"])
def any_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def any_database(any_url: str) -> Iterator[Database[Document]]:
    """An empty database on a replica set, then one on a standalone server."""
    opened = connect(any_url, f"test_{uuid4().hex}")
    yield opened
    opened.client.drop_database(opened.name)
    opened.client.close()


@pytest.fixture(scope="module")
def initialised_database(standalone_url: str) -> Iterator[Database[Document]]:
    """A database that refuses what its validators do not know."""
    opened = connect(standalone_url, f"test_{uuid4().hex}")
    initialise(opened, "error")
    yield opened
    opened.client.drop_database(opened.name)
    opened.client.close()


@pytest.fixture
def data(initialised_database: Database[Document]) -> Database[Document]:
    """The same, emptied before each test."""
    for name in initialised_database.list_collection_names():
        initialised_database[name].delete_many({})
    return initialised_database
