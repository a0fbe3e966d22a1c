"""What can go wrong with what the database keeps of the catalog."""

from db.errors import DatabaseError


class UnusableAddress(DatabaseError):
    """The address of a server is no http or https address."""


class ImportReplaced(DatabaseError):
    """Another run has gone on with the same import, or begun it anew, in the meantime."""
