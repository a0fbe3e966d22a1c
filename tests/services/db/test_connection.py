"""Connecting to MongoDB by the policy of docs/schema.md, and its errors without credentials."""

import pytest
from bson.errors import BSONError, InvalidBSON
from pymongo.errors import (
    DocumentTooLarge as TooLargeToSend,
)
from pymongo.errors import (
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from db.connection import connect, translated_errors
from db.errors import (
    DatabaseError,
    DatabaseNameTaken,
    DatabaseRefused,
    DatabaseUnreachable,
    DocumentTooLarge,
    OperationRefused,
    UnreadableDocument,
)

SECRET = "hunter2"  # noqa: S105 - what must not be shown


def test_a_server_that_does_not_answer_is_reported_without_its_password() -> None:
    url = f"mongodb://user:{SECRET}@127.0.0.1:1/?serverSelectionTimeoutMS=100"

    with pytest.raises(DatabaseUnreachable, match="correct MONGO_URL") as error:
        connect(url, "storyboard", tries=2, pause_seconds=0)

    assert SECRET not in str(error.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1", "mongodb://", "", "mongodb://host:port/"])
def test_a_malformed_connection_string_is_refused(url: str) -> None:
    with pytest.raises(DatabaseRefused, match="not a MongoDB connection string"):
        connect(url, "storyboard", tries=1)


def test_a_wrong_password_is_refused_at_once(mongo_url: str) -> None:
    url = mongo_url.replace("mongodb://", f"mongodb://user:{SECRET}@")

    with pytest.raises(DatabaseRefused, match="refuses this user") as error:
        connect(url, "storyboard", tries=1)

    assert SECRET not in str(error.value)


TRANSLATIONS: list[tuple[PyMongoError | BSONError, type[DatabaseError], str]] = [
    (
        OperationFailure("not authorized on storyboard", 13, {"codeName": "Unauthorized"}),
        *(DatabaseRefused, "check the name, password and roles in MONGO_URL"),
    ),
    (OperationFailure("no", 18), DatabaseRefused, "refuses this user"),
    (OperationFailure("no", 50, {"codeName": "Late"}), OperationRefused, "error 50, Late"),
    (ServerSelectionTimeoutError("user:pw@host"), DatabaseUnreachable, "start it or correct"),
    (NetworkTimeout("host"), DatabaseUnreachable, "does not answer"),
    (NotPrimaryError("host"), DatabaseUnreachable, "does not answer"),
    (InvalidBSON("year 14645 is out of range"), UnreadableDocument, "cannot be read or written"),
    (TooLargeToSend("hunter2"), DocumentTooLarge, "larger than the 16 MB"),
    (OperationFailure("no", 17419), DocumentTooLarge, "larger than the 16 MB"),
    (OperationFailure("no", 13297), DatabaseNameTaken, "differs from this one in case only"),
]


@pytest.mark.parametrize(("raised", "expected", "sentence"), TRANSLATIONS)
def test_an_error_of_the_driver_becomes_a_sentence(
    raised: PyMongoError | BSONError, expected: type[DatabaseError], sentence: str
) -> None:
    with pytest.raises(expected, match=sentence) as error, translated_errors():
        raise raised

    assert "\n" not in str(error.value)
    assert "user:pw" not in str(error.value)
