"""Errors of the database, one class for each event."""

from typing import ClassVar


class DatabaseError(Exception):
    """Base of everything that goes wrong with the StoryCanvas database."""

    retryable: ClassVar[bool] = False


class DatabaseUnreachable(DatabaseError):
    """No server answers, or none that can be written to."""

    retryable = True


class DatabaseRefused(DatabaseError):
    """The server refuses the user, or what the user asks for."""


class OperationRefused(DatabaseError):
    """The server cannot execute a query or an update."""


class UnreadableDocument(DatabaseError):
    """A stored document holds a text or a time that cannot be read, or one is to be written."""


class DocumentTooLarge(DatabaseError):
    """A document would be larger than the 16 MB that MongoDB stores."""


class DatabaseNameTaken(DatabaseError):
    """The server has a database whose name differs in case only."""


class UnknownCharacter(DatabaseError):
    """There is no character with this id."""


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


class UnknownDocument(DatabaseError):
    """There is no document with this id."""


class DocumentDeleted(DatabaseError):
    """The document has been deleted, so it is neither shown nor changed."""


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
