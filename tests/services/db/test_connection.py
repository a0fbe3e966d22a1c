"""Connecting to MongoDB by the policy of docs/schema.md, and its errors without credentials."""

import socketserver
import threading

import dns.resolver
import pytest
from bson.errors import BSONError, InvalidBSON
from pymongo.errors import (
    BulkWriteError,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)
from pymongo.errors import (
    DocumentTooLarge as TooLargeToSend,
)

from db.connection import TRIES, connect, translated_errors
from db.errors import (
    DatabaseError,
    DatabaseNameTaken,
    DatabaseRefused,
    DatabaseUnreachable,
    DocumentTooLarge,
    OperationRefused,
    ServerTooOld,
    TlsRefused,
    UnreadableDocument,
    WriteNotConfirmed,
)
from tests.support.db.old_server import old_server

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


@pytest.mark.parametrize("option", ["w=0", "W=0"])
def test_a_connection_string_that_confirms_no_write_is_refused(mongo_url: str, option: str) -> None:
    with pytest.raises(DatabaseRefused, match="has w=0, with which MongoDB confirms no write"):
        connect(f"{mongo_url}&{option}", "story", tries=1)


OLD = [("5.0.31", 13, "is MongoDB 5.0.31; 6.0 or newer"), ("4.0.28", 7, "older than MongoDB 4.2")]


@pytest.mark.parametrize(("version", "wire_version", "sentence"), OLD)
def test_an_old_server_is_refused_with_its_version(
    version: str, wire_version: int, sentence: str
) -> None:
    with old_server(version, wire_version) as url, pytest.raises(ServerTooOld, match=sentence):
        connect(url, "story", tries=2)


def test_a_server_without_tls_is_named_as_such_at_once(standalone_url: str) -> None:
    url = f"{standalone_url}&tls=true&serverSelectionTimeoutMS=300"

    with pytest.raises(TlsRefused, match=r"does not agree on TLS \(EOF occurred") as refused:
        connect(url, "story")

    assert "\n" not in str(refused.value)


class Hanging(socketserver.BaseRequestHandler):
    """Closes each connection at once, as a server does that wants TLS and gets none."""


def test_a_server_that_closes_connections_may_want_tls() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), Hanging) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"mongodb://127.0.0.1:{server.server_address[1]}/?serverSelectionTimeoutMS=300"

        with pytest.raises(DatabaseUnreachable, match="if it wants TLS, add tls=true"):
            connect(url, "story", tries=1)

        server.shutdown()


def test_servers_that_cannot_be_looked_up_for_the_moment_are_looked_up_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolver of dnspython, which PyMongo asks, gets an address where none answers."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], 1
    resolver.lifetime = 0.1
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    url = f"mongodb+srv://user:{SECRET}@cluster.example/?connectTimeoutMS=100"

    with pytest.raises(DatabaseUnreachable, match="which MONGO_URL names, cannot be looked"):
        connect(url, "story")

    again = [line for line in caplog.messages if line.startswith("Try ")]
    assert len(again) == TRIES - 1
    assert SECRET not in caplog.text


TRANSLATIONS: list[tuple[PyMongoError | BSONError, type[DatabaseError], str]] = [
    (
        OperationFailure("not authorized on storyboard", 13, {"codeName": "Unauthorized"}),
        *(DatabaseRefused, "check the name, password and roles in MONGO_URL"),
    ),
    (OperationFailure("no", 18), DatabaseRefused, "refuses this user"),
    (OperationFailure("no", 50, {"codeName": "Late"}), OperationRefused, "error 50, Late"),
    (WTimeoutError("waiting", 64), WriteNotConfirmed, "Most members of the replica set did not"),
    (
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64, "errmsg": "late"}]}),
        *(WriteNotConfirmed, "Most members of the replica set did not"),
    ),
    (
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 79, "errmsg": "odd"}]}),
        *(OperationRefused, "error 79, odd"),
    ),
    (
        WriteConcernError("bye", 91, {"codeName": "ShutdownInProgress"}),
        *(DatabaseUnreachable, "error 91, ShutdownInProgress"),
    ),
    (
        BulkWriteError({"writeConcernErrors": [{"code": 189, "codeName": "PrimarySteppedDown"}]}),
        *(DatabaseUnreachable, "error 189, PrimarySteppedDown"),
    ),
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
