"""What a couple face-swap database is read from."""

from collections.abc import Iterator, Sequence
from typing import Protocol, Self

from db.couple_import.rows import SourceRow, Table


class Source(Protocol):
    """A couple face-swap database in some form; used as a context, once or several times."""

    def __enter__(self) -> Self:
        """Open it."""

    def __exit__(self, *_: object) -> None:
        """Close it."""

    def place(self, table: Table) -> str:
        """Name the place where a table is, or would be."""

    def columns(self, table: Table) -> tuple[str, ...] | None:
        """Read what columns a table has; None when the table is missing.

        Raises:
            ImportFailed: It cannot be read.
        """

    def rows(self, table: Table, columns: Sequence[str]) -> Iterator[SourceRow]:
        """Read a table that is there, row after row.

        Raises:
            ImportFailed: It cannot be read, or not to its end.
        """
