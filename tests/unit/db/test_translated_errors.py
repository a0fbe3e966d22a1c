"""An error of the driver becomes a clear sentence of the project's own."""

import pytest
from pymongo.errors import (
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from db.connection import translated_errors
from db.errors import DatabaseError, DatabaseRefused, DatabaseUnreachable, OperationRefused

NO_RIGHTS = OperationFailure(
    "not authorized on storyboard to execute command { createIndexes }",
    13,
    {"codeName": "Unauthorized"},
)

TRANSLATIONS: list[tuple[PyMongoError, type[DatabaseError], str]] = [
    (NO_RIGHTS, DatabaseRefused, "check the name, password and roles in MONGO_URL"),
    (OperationFailure("no", 18), DatabaseRefused, "refuses this user"),
    (OperationFailure("no", 50, {"codeName": "Late"}), OperationRefused, "error 50, Late"),
    (ServerSelectionTimeoutError("user:pw@host"), DatabaseUnreachable, "start it or correct"),
    (NetworkTimeout("host"), DatabaseUnreachable, "does not answer"),
    (NotPrimaryError("host"), DatabaseUnreachable, "does not answer"),
]


@pytest.mark.parametrize(("raised", "expected", "sentence"), TRANSLATIONS)
def test_an_error_of_the_driver_becomes_a_sentence(
    raised: PyMongoError, expected: type[DatabaseError], sentence: str
) -> None:
    with pytest.raises(expected, match=sentence) as error, translated_errors():
        raise raised

    assert "\n" not in str(error.value)
    assert "user:pw" not in str(error.value)
