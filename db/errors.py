"""Errors of the database, one class for each event, and the driver's errors as one of these."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from bson.errors import BSONError
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.errors import (
    DocumentTooLarge as TooLargeToSend,
)


class DatabaseError(Exception):
    """Base of everything that goes wrong with the StoryCanvas database."""

    retryable: ClassVar[bool] = False


class DatabaseUnreachable(DatabaseError):
    """No server answers, or none that can be written to."""

    retryable = True


class DatabaseRefused(DatabaseError):
    """The server refuses the user, or what the user asks for."""


class TlsRefused(DatabaseError):
    """The server and this program do not agree on an encrypted connection."""


class ServerTooOld(DatabaseError):
    """The server's version is older than 6.0."""


class WriteNotConfirmed(DatabaseError):
    """A write was not confirmed by most members of the replica set in time."""

    retryable = True


class OperationRefused(DatabaseError):
    """The server cannot execute a query or an update."""


class UnreadableDocument(DatabaseError):
    """A stored document holds a text or a time that cannot be read, or one is to be written."""


class DocumentTooLarge(DatabaseError):
    """A document would be larger than the 16 MB that MongoDB stores."""


class DatabaseNameTaken(DatabaseError):
    """The server has a database whose name differs in case only."""


class UnknownCharacter(DatabaseError):
    """There is no character with this id or name."""


class AmbiguousCharacter(DatabaseError):
    """Several characters have the name that a run was given in place of an id."""


class CharactersMissing(UnknownCharacter):
    """The database has no characters at all: its collections were never created."""


class CharacterWithoutPicture(DatabaseError):
    """The character has no reference image to work from."""


class BrokenCharacter(DatabaseError):
    """A character's FaceFusion fields are of the wrong type, so nothing can be recorded."""


class CharacterTooLarge(DatabaseError):
    """A character's document has no room for another entry, which stays pending in the ledger."""


class UnknownPreset(DatabaseError):
    """There is no preset with this id or name."""


class BrokenPreset(DatabaseError):
    """A preset's fields are of wrong types."""


class BrokenDocument(DatabaseError):
    """A field of a document is of a wrong type, so nothing is changed in it."""


class PictureNotInLedger(DatabaseError):
    """No operation of the ledger made the picture."""


class NothingNamed(DatabaseError):
    """The database names no picture of the image store, so it is that of another one."""


class PresetNameTaken(DatabaseError):
    """Another preset has this name, in any case, and is not to be replaced."""


class UnknownDocument(DatabaseError):
    """There is no document with this id."""


class DocumentDeleted(DatabaseError):
    """The document has been deleted, so it is neither shown nor changed."""


class DocumentKeepsChanging(DatabaseError):
    """A document was changed by others each time between reading and writing it."""

    retryable = True


class DocumentNotDeleted(DatabaseError):
    """The document was looked for among the deleted ones, but it is not deleted."""


class ParentDeleted(DatabaseError):
    """What the document belongs to is deleted, so it cannot be restored before its parent."""


class ValueTaken(DatabaseError):
    """Another document has the value that must be unique."""


class FieldProtected(DatabaseError):
    """The field has its own operation and is not changed by an update."""


class TransactionUnfinished(DatabaseError):
    """A transaction met others, or was too large, each time that it was tried."""

    retryable = True


class NotSoftDeletable(DatabaseError):
    """Documents of this collection carry no mark of deletion."""


class UnknownMigration(DatabaseError):
    """There is no migration with this number."""


class MigrationChanged(DatabaseError):
    """The file of an applied migration is not what it was when it was applied."""


class MigrationNotReversible(DatabaseError):
    """A downgrade would have to pass a migration that cannot be undone."""


class MigrationFailed(DatabaseError):
    """A migration ended half way; it can be run again."""


class MigrationRunning(DatabaseError):
    """Another run migrates this database."""


class MigrationLockLost(DatabaseError):
    """Another run has taken over, because this one did not renew its lock in time."""


class DocumentsWouldExpire(DatabaseError):
    """A migration would change the field of a TTL index, by which MongoDB removes documents."""


class BrokenMigrationRecord(DatabaseError):
    """A document of `migrations` was not written by a migration."""


class UnusableAddress(DatabaseError):
    """The address of a server is not an http or https address."""


class ImportReplaced(DatabaseError):
    """Another run has continued or restarted the same import in the meantime."""


REFUSALS = {13, 18, 8000}
"""Server error codes for Unauthorized and AuthenticationFailed (8000: the same from Atlas)."""
TOO_LARGE = {10334, 17419, 17420}
"""Server error codes for a document above 16 MB: BSONObjectTooLarge and those of updates."""
NAME_DIFFERS_IN_CASE = 13297
"""Server error code DatabaseDifferCase."""
_NOT_CONFIRMED = 64
"""Server error code WriteConcernFailed; of a single write, PyMongo has a class for it."""
PASSING = {6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436}
"""Server error codes of a member that stops, loses its role or cannot reach another one, as in
MongoDB's specification of retryable writes. The driver has a class for most; a write that was done
and then not confirmed by other members has none."""
_TLS_FAILURE = re.compile(r"SSL handshake failed: [^:]+:\d+: (?:\[[^]]*\] )?([^,(]+?) ?[,(]")


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn PyMongo's errors into the project's own."""
    try:
        yield
    except ConnectionFailure as error:
        raise _not_connected(error) from error
    except OperationFailure as error:
        raise _refusal(error) from error
    except ConfigurationError as error:
        if "wire version" in str(error):
            raise ServerTooOld(
                "The server is older than MongoDB 4.2; 6.0 or newer is needed, so upgrade it or "
                "name another one in MONGO_URL."
            ) from error
        raise OperationRefused(f"MongoDB failed ({type(error).__name__}).") from error
    except PyMongoError as error:
        raise OperationRefused(f"MongoDB failed ({type(error).__name__}).") from error
    except TooLargeToSend as error:
        raise DocumentTooLarge(_TOO_LARGE) from error
    # The driver's reader and writer of documents has a tree of its own; a number may be too large.
    except (BSONError, OverflowError) as error:
        raise UnreadableDocument(
            "A text, a number or a time of a document cannot be read or written "
            f"({type(error).__name__}); audit-db reads every document and lists those with such "
            "fields."
        ) from error


_TOO_LARGE = (
    "A document would be larger than the 16 MB that MongoDB stores; remove from it what is not "
    "needed."
)


def _refusal(error: OperationFailure) -> DatabaseError:
    """Word what the server refused, by the error's code; of several writes the first refused."""
    if isinstance(error, BulkWriteError):
        details = error.details
        refused = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
        first: dict[str, Any] = next(iter(refused), {})
        is_late = first.get("code") == _NOT_CONFIRMED
        kind = WTimeoutError if is_late else OperationFailure
        error = kind(str(first.get("errmsg")), first.get("code"), first)
    if error.code in REFUSALS:
        return DatabaseRefused(
            f"MongoDB refuses this user (error {error.code}); check the name, password and roles "
            "in MONGO_URL."
        )
    if error.code in TOO_LARGE:
        return DocumentTooLarge(_TOO_LARGE)
    if error.code == NAME_DIFFERS_IN_CASE:
        return DatabaseNameTaken(
            "The server has a database whose name differs from this one in case only, and refuses "
            "a second one; set DB_NAME or the block's database to the name that is there."
        )
    if error.code in PASSING:
        return DatabaseUnreachable(
            f"MongoDB stops or changes its primary (error {error.code}, {_reason(error)}); start "
            "it or wait for the new primary."
        )
    if isinstance(error, WTimeoutError):
        return WriteNotConfirmed(
            "Most members of the replica set did not confirm a write in time; check that they run. "
            "What was written stays, or is written again."
        )
    return OperationRefused(f"MongoDB refused: error {error.code}, {_reason(error)}.")


def _not_connected(error: ConnectionFailure) -> DatabaseError:
    """Tell a server that is away from one that does not agree on TLS; the latter stays so."""
    text = str(error)
    if found := _TLS_FAILURE.search(text):
        return TlsRefused(
            f"MongoDB does not agree on TLS ({found[1]}); check tls and tlsCAFile in MONGO_URL and "
            "the server's certificate."
        )
    # A cancelled wait has a class of the driver's own below a public one.
    kind = next(each.__name__ for each in type(error).__mro__ if each.__name__[0] != "_")
    if "connection closed" in text:
        return DatabaseUnreachable(
            f"MongoDB does not answer ({kind}): it closes the connection; if it wants TLS, add "
            "tls=true to MONGO_URL, else start it or correct MONGO_URL."
        )
    return DatabaseUnreachable(f"MongoDB does not answer ({kind}); start it or correct MONGO_URL.")


def _reason(error: OperationFailure) -> str:
    details = error.details or {}
    return str(details.get("codeName") or details.get("errmsg") or "no reason given")
