"""A folder of CSV files, as PostgreSQL's `COPY users TO ... (FORMAT csv, HEADER)` writes them.

Each table has a file of its name, in UTF-8, with or without a byte order mark (docs/schema.md,
Couple face-swap). The names of the columns may have capitals, and spaces around them. An empty cell
is NULL, with or without quotes, but in a text column that is NOT NULL, where it is the empty text.
"""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from db.couple_import.errors import FileUnreadable, FolderMissing
from db.couple_import.rows import LARGEST_DOCUMENT, SourceRow
from db.couple_import.tables import Table

_OTHER_DELIMITERS = {";": "a semicolon", "\t": "a tab", "|": "a bar"}


class CsvSource:
    """CSV files of one folder; links are followed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        if not self.folder.is_dir():
            raise FolderMissing(
                f"There is no folder {self.folder} on the machine that runs this; name the one "
                "that holds users.csv and the other tables."
            )
        # The limit is the process's, so it is only ever raised; no larger cell could be stored.
        csv.field_size_limit(max(csv.field_size_limit(), LARGEST_DOCUMENT))
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open."""

    def place(self, table: Table) -> str:
        """Name the table's file."""
        return f"file {self._path(table).name}"

    def columns(self, table: Table) -> tuple[str, ...] | None:
        """Read the first line of a table's file."""
        path = self._path(table)
        if not path.is_file():
            return None
        with _lines(path) as lines:
            header = _names(lines)
        if not header:
            raise FileUnreadable(f"{path.name} is empty; its first line has to name the columns.")
        if other := _other_delimiter(header):
            raise FileUnreadable(
                f"{path.name} separates its columns by {other}; a comma is needed: export it again "
                "with COPY ... (FORMAT csv, HEADER)."
            )
        if len({*header}) < len(header):
            raise FileUnreadable(f"{path.name} names a column twice in its first line.")
        return tuple(header)

    def rows(self, table: Table, columns: Sequence[str]) -> Iterator[SourceRow]:
        """Read a table's file, line after line; empty lines are skipped."""
        texts = _not_null_texts(table, columns)
        with _lines(self._path(table)) as lines:
            header = _names(lines)
            for number, cells in enumerate(filter(None, lines), start=1):
                named = dict(zip(header, cells, strict=False))
                flaw = _flaw(len(cells), len(header))
                yield SourceRow(
                    number,
                    {name: _null(named[name], name in texts) for name in columns if name in named},
                    flaw,
                )

    def _path(self, table: Table) -> Path:
        return self.folder / f"{table.name}.csv"


def _names(lines: Iterator[list[str]]) -> list[str]:
    """Read the first line: tools for tables write names in capitals, and people add spaces."""
    return [name.strip().lower() for name in next(lines, [])]


def _other_delimiter(header: Sequence[str]) -> str:
    """Name the character that separates the columns of a header that is read as one column."""
    if len(header) > 1:
        return ""
    return next((name for mark, name in _OTHER_DELIMITERS.items() if mark in header[0]), "")


def _not_null_texts(table: Table, columns: Sequence[str]) -> set[str]:
    """Choose the columns whose empty cells are texts; of two names either may be left empty."""
    found = [
        [name for name in table.names(column) if name in columns]
        for column in table.columns
        if column.needed and column.kind == "text"
    ]
    return {names[0] for names in found if len(names) == 1}


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[list[str]]]:
    """Open a file and let its lines be read; what the reading raises is translated."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            yield csv.reader(opened, strict=True)
    except UnicodeDecodeError:
        raise FileUnreadable(
            f"{path.name} is not in UTF-8; export it again with ENCODING 'UTF8'."
        ) from None
    except csv.Error as error:
        raise FileUnreadable(
            f"{path.name} is not valid CSV to its end ({error}); export it again with COPY ... "
            "(FORMAT csv, HEADER)."
        ) from error
    except OSError as error:
        raise FileUnreadable(f"{path.name} cannot be read: {error.strerror}.") from error


def _flaw(cells: int, columns: int) -> str:
    return "" if cells == columns else f"it has {cells} cells, but there are {columns} columns"


def _null(cell: str, empty_is_text: bool) -> str | None:
    return cell if cell or empty_is_text else None
