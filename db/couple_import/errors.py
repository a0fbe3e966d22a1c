"""Errors of an import, one class for each event.

No message holds an address, a password or the content of a user's row.
"""

from typing import ClassVar


class ImportFailed(Exception):
    """Base of everything that goes wrong with reading a couple face-swap database."""

    retryable: ClassVar[bool] = False


class SourceNotNamed(ImportFailed):
    """No source is named, or two are."""


class PasswordInAddress(ImportFailed):
    """An address that Prefect keeps and shows has a password in it."""


class AddressUnreadable(ImportFailed):
    """An address is not a PostgreSQL connection string."""


class FolderMissing(ImportFailed):
    """There is no such folder to read from."""


class FileUnreadable(ImportFailed):
    """A CSV file cannot be opened, or is not CSV."""


class ColumnsMissing(ImportFailed):
    """Tables lack columns without which rows would lose what they are or point to."""


class NamesMixed(ImportFailed):
    """A table has columns with the names of two versions of the app."""


class TablesMissing(ImportFailed):
    """The source has none of the tables."""


class SourceUnreachable(ImportFailed):
    """PostgreSQL does not answer, or not in time."""

    retryable = True


class SourceRefused(ImportFailed):
    """PostgreSQL refuses the user, the database or a query."""


class RowRefused(ImportFailed):
    """A row cannot be placed; it is listed, and the import goes on."""
