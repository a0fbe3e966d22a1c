"""Counting what becomes of rows while they are imported."""

from collections import Counter
from typing import Literal

from db.couple_import.report import LISTED, ImportReport, Problem, TableCount
from db.couple_import.tables import TABLES

Outcome = Literal["read", "created", "merged", "existing", "not_placed"]


class Tally:
    """Counts of a run, and the first of its problems; it does not grow with the rows."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, Outcome]] = Counter()
        self._problems: list[Problem] = []
        self._notes: list[str] = []

    def count(self, table: str, outcome: Outcome, rows: int) -> None:
        """Add rows that had an outcome."""
        self._counts[table, outcome] += rows

    def refuse(self, table: str, row: int, legacy_id: int | None, reason: str) -> None:
        """Note a row that has no place."""
        self._counts[table, "not_placed"] += 1
        if len(self._problems) < LISTED:
            self._problems.append(Problem(table=table, legacy_id=legacy_id, row=row, reason=reason))

    def note(self, sentence: str) -> None:
        """Note what concerns a whole table."""
        self._notes.append(sentence)

    def report(self, database: str, *, dry_run: bool) -> ImportReport:
        """Say what was found and done."""
        tables = tuple(self._table_count(table.name) for table in TABLES)
        return ImportReport(
            database=database,
            dry_run=dry_run,
            tables=tables,
            notes=tuple(self._notes),
            problems=tuple(self._problems),
            problem_count=sum(one.not_placed for one in tables),
        )

    def _table_count(self, table: str) -> TableCount:
        return TableCount(
            table=table,
            read=self._counts[table, "read"],
            created=self._counts[table, "created"],
            merged=self._counts[table, "merged"],
            existing=self._counts[table, "existing"],
            not_placed=self._counts[table, "not_placed"],
        )
