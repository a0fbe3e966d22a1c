"""What can go wrong with the database, one class for each thing that happens."""

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
    """The server cannot carry out a query or an update."""


class UnknownCharacter(DatabaseError):
    """There is no character with this id."""


class CharacterWithoutPicture(DatabaseError):
    """The character has no reference image to work from."""


class BrokenCharacter(DatabaseError):
    """A character's FaceFusion fields are of the wrong type, so nothing can be recorded."""


class UnknownPreset(DatabaseError):
    """There is no preset with this id or name."""


class BrokenPreset(DatabaseError):
    """A preset's fields are of wrong types."""
