"""What `import-couple-swap` found and did."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal, get_args

from db.couple_import.tables import TABLES
from db.schema.documents.base import Frozen
from storycanvas.net.wording import counted

MAX_EXAMPLES = 100
"""Most of the rows without a place that a report lists; it counts all of them."""


class TableCount(Frozen):
    """What became of the rows of a table; the five outcomes add up to those read.

    Attributes:
        created: Rows that became a new document in this run, or would.
        merged: Users that are now known to be a user of StoryCanvas, or would be.
        updated: Rows that were imported before, and whose documents took over the app's end or got
            what an earlier import did not bring.
        existing: Rows that were imported before; their documents were left as they are.
        not_placed: Rows that are listed and not stored.
    """

    table: str
    read: int = 0
    created: int = 0
    merged: int = 0
    updated: int = 0
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
        dry_run: Whether it only looked; `created`, `merged` and `updated` then mean what would be.
        version: The version of the app whose tables these are.
        problems: The first of the rows that have no place.
    """

    database: str
    dry_run: bool
    version: str = ""
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
    def updated(self) -> int:
        """How many documents of an earlier import were changed, or would be."""
        return sum(table.updated for table in self.tables)

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

    @property
    def updated_words(self) -> str:
        """Word `updated`, also of a dry run."""
        return "would be updated" if self.dry_run else "updated"

    def lines(self) -> Iterator[str]:
        """Name the version, and summarise in a line for each table what became of its rows."""
        if self.version:
            yield f"The tables are those of {self.version}."
        for table in self.tables:
            yield (
                f"{table.table}: {table.read} read, {table.created} {self.created_words}, "
                f"{table.merged} {self.merged_words}, {table.updated} {self.updated_words}, "
                f"{table.existing} existing, "
                f"{table.not_placed} not placed."
            )

    def summary(self) -> str:
        """Summarise in one sentence what became of all rows."""
        return (
            f"Database {self.database}: {self.created} {self.created_words}, "
            f"{self.merged} {self.merged_words}, {self.updated} {self.updated_words}, "
            f"{self.existing} existing, "
            f"{self.problem_count} row(s) not placed."
        )


Outcome = Literal["read", "created", "merged", "updated", "existing", "not_placed"]


class ImportStats:
    """Counts of a run, and the first of its problems; it does not grow with the rows.

    Attributes:
        version: The version of the app whose tables are read.
        unfinished: Tasks that the app was processing and that became documents in this run.
    """

    def __init__(self) -> None:
        self.version = ""
        self.unfinished = 0
        self._counts: Counter[tuple[str, Outcome]] = Counter()
        self._problems: list[Problem] = []
        self._notes: list[str] = []

    def count(self, table: str, outcome: Outcome, rows: int) -> None:
        """Add rows that had an outcome."""
        self._counts[table, outcome] += rows

    def refuse(self, table: str, row: int, legacy_id: int | None, reason: str) -> None:
        """Record a row that has no place."""
        self._counts[table, "not_placed"] += 1
        if len(self._problems) < MAX_EXAMPLES:
            self._problems.append(Problem(table=table, legacy_id=legacy_id, row=row, reason=reason))

    def note(self, sentence: str) -> None:
        """Record what concerns a whole table."""
        self._notes.append(sentence)

    def note_unfinished(self, processing: str, *, dry_run: bool) -> None:
        """Say what became of tasks that the app was processing."""
        if not self.unfinished:
            return
        tasks = counted(self.unfinished, "task")
        if processing == "keep":
            self.note(f"{tasks} processing in the app, without a result: kept, never claimed here.")
        else:
            would = "would be" if dry_run else "is now"
            self.note(f"{tasks} processing in the app, without a result: each {would} pending.")

    def report(self, database: str, *, dry_run: bool) -> ImportReport:
        """Report what was found and done."""
        tables = tuple(self._table_count(table.name) for table in TABLES)
        return ImportReport(
            database=database,
            dry_run=dry_run,
            version=self.version,
            tables=tables,
            notes=tuple(self._notes),
            problems=tuple(self._problems),
            problem_count=sum(table.not_placed for table in tables),
        )

    def _table_count(self, table: str) -> TableCount:
        counts = {outcome: self._counts[table, outcome] for outcome in get_args(Outcome)}
        return TableCount.model_validate({"table": table, **counts})
