"""What `import-couple-swap` found and did."""

from collections.abc import Iterator

from db.schema.documents.base import Frozen

MAX_EXAMPLES = 100
"""Most of the rows without a place that a report lists; it counts all of them."""


class TableCount(Frozen):
    """What became of the rows of a table; the four outcomes add up to those read.

    Attributes:
        created: Rows that became a new document in this run, or would.
        merged: Users that are now known to be a user of StoryCanvas, or would be.
        existing: Rows that were imported before; their documents were left as they are.
        not_placed: Rows that are listed and not stored.
    """

    table: str
    read: int = 0
    created: int = 0
    merged: int = 0
    existing: int = 0
    not_placed: int = 0


class Problem(Frozen):
    """A row that has no place.

    Attributes:
        legacy_id: Its id, None where that cannot be read or is not its own.
        row: Its place in the table, from 1.
    """

    table: str
    legacy_id: int | None
    row: int
    reason: str

    def __str__(self) -> str:
        name = f"row {self.row}" if self.legacy_id is None else f"id {self.legacy_id}"
        return f"{self.table} {name}: {self.reason}"


class ImportReport(Frozen):
    """What became of every row.

    Attributes:
        dry_run: Whether it only looked; `created` and `merged` then mean what would be.
        problems: The first of the rows that have no place.
    """

    database: str
    dry_run: bool
    tables: tuple[TableCount, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0

    @property
    def created(self) -> int:
        """How many documents were added, or would be."""
        return sum(table.created for table in self.tables)

    @property
    def merged(self) -> int:
        """How many users of StoryCanvas got a row, or would."""
        return sum(table.merged for table in self.tables)

    @property
    def existing(self) -> int:
        """How many rows were imported before."""
        return sum(table.existing for table in self.tables)

    @property
    def created_words(self) -> str:
        """Word `created`, also of a dry run."""
        return "would be created" if self.dry_run else "created"

    @property
    def merged_words(self) -> str:
        """Word `merged`, also of a dry run."""
        return "would be merged" if self.dry_run else "merged"

    def lines(self) -> Iterator[str]:
        """Summarise in one line for each table what became of its rows."""
        for table in self.tables:
            yield (
                f"{table.table}: {table.read} read, {table.created} {self.created_words}, "
                f"{table.merged} {self.merged_words}, {table.existing} existing, "
                f"{table.not_placed} not placed."
            )

    def summary(self) -> str:
        """Summarise in one sentence what became of all rows."""
        return (
            f"Database {self.database}: {self.created} {self.created_words}, "
            f"{self.merged} {self.merged_words}, {self.existing} existing, "
            f"{self.problem_count} row(s) not placed."
        )
