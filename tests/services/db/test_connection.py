"""Connecting to MongoDB: the policy of docs/schema.md, clear sentences, no credentials in them."""

import pytest

from db.connection import connect
from db.errors import DatabaseRefused, DatabaseUnreachable

SECRET = "hunter2"  # noqa: S105 - what must not be seen


def test_a_server_that_does_not_answer_is_named_as_such_without_its_password() -> None:
    url = f"mongodb://user:{SECRET}@127.0.0.1:1/?serverSelectionTimeoutMS=100"

    with pytest.raises(DatabaseUnreachable, match="correct MONGO_URL") as error:
        connect(url, "storyboard", tries=2, pause_seconds=0)

    assert SECRET not in str(error.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1", "mongodb://", "", "mongodb://host:port/"])
def test_a_string_that_is_no_connection_string_is_refused(url: str) -> None:
    with pytest.raises(DatabaseRefused, match="not a MongoDB connection string"):
        connect(url, "storyboard", tries=1)


def test_a_wrong_password_is_refused_at_once(mongo_url: str) -> None:
    url = mongo_url.replace("mongodb://", f"mongodb://user:{SECRET}@")

    with pytest.raises(DatabaseRefused, match="refuses this user") as error:
        connect(url, "storyboard", tries=1)

    assert SECRET not in str(error.value)
