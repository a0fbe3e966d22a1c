"""Loading a couple face-swap database into StoryCanvas.

It may be run at any time, by any number of processes at once, and killed at any moment: the next
run adds what is missing and changes nothing else. A document with a row's `legacy_id`
counts as that row, so a StoryCanvas database takes one couple face-swap database.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeVar, get_args

from pymongo.database import Database

from db.connection import Document, in_batches
from db.couple_import.errors import ColumnsMissing, RowRefused, TablesMissing
from db.couple_import.placement import DryRunTarget, Placement, StoreResult
from db.couple_import.report import MAX_EXAMPLES, ImportReport, Problem, TableCount
from db.couple_import.rows import (
    TABLES,
    TEMPLATES,
    USERS,
    Fields,
    Source,
    SourceRow,
    Table,
    document_of,
    fields_of,
    legacy_id_of,
)
from db.couple_import.users import Merge, UserMatcher


class ForeignKeys:
    """What the rows of a batch may point to, found at once."""

    def __init__(self, placement: Placement, table: Table, rows: Mapping[int, Fields]) -> None:
        """Find the parents of rows."""
        self._table = table
        self._parents = {
            field: placement.parents(parent, _pointed_to(field, rows))
            for field, parent in table.relations.items()
        }
        self._holders = self._find_holders(placement)

    def resolve(self, legacy_id: int, fields: Fields) -> Fields:
        """Name the parents of a row by their ids; a template gets its image's category.

        A relation that is NULL stays null. The row is refused when a parent has no place, or takes
        one row only and has one.
        """
        related = dict(fields)
        for field, parents in self._parents.items():
            wanted = fields.get(field)
            if wanted is None:
                continue
            if wanted not in parents:
                parent = self._table.relations[field]
                raise RowRefused(f"{field} {wanted} has no place in {parent}")
            related[field] = parents[wanted].id
            if self._table is TEMPLATES:
                related["category"] = parents[wanted].category
        self._hold(legacy_id, related.get(self._table.single))
        return related

    def _find_holders(self, placement: Placement) -> dict[str, int | None]:
        single = self._table.single
        if not single:
            return {}
        ids = {parent.id for parent in self._parents[single].values()}
        return placement.holders(self._table.name, single, ids)

    def _hold(self, legacy_id: int, parent_id: str | None) -> None:
        """Take a parent that can be taken once; what this row took in another run is its own."""
        if parent_id is None:
            return
        if self._holders.setdefault(parent_id, legacy_id) != legacy_id:
            holder = self._holders[parent_id]
            name = "a template of StoryCanvas" if holder is None else f"template {holder}"
            raise RowRefused(f"its image is that of {name} already; an image has one template")


def _pointed_to(field: str, rows: Mapping[int, Fields]) -> set[int]:
    return {fields[field] for fields in rows.values() if fields.get(field) is not None}


Outcome = Literal["read", "created", "merged", "existing", "not_placed"]


class ImportStats:
    """Counts of a run, and the first of its problems; it does not grow with the rows."""

    def __init__(self) -> None:
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

    def report(self, database: str, *, dry_run: bool) -> ImportReport:
        """Report what was found and done."""
        tables = tuple(self._table_count(table.name) for table in TABLES)
        return ImportReport(
            database=database,
            dry_run=dry_run,
            tables=tables,
            notes=tuple(self._notes),
            problems=tuple(self._problems),
            problem_count=sum(table.not_placed for table in tables),
        )

    def _table_count(self, table: str) -> TableCount:
        counts = {outcome: self._counts[table, outcome] for outcome in get_args(Outcome)}
        return TableCount.model_validate({"table": table, **counts})


BATCH = 1000
"""Rows that are placed at a time."""

Given = TypeVar("Given")
Made = TypeVar("Made")


def import_tables(
    database: Database[Document], source: Source, *, dry_run: bool = False
) -> ImportReport:
    """Place every row of every table, each table after those that it points into.

    A row is stored when all the rows that it points to are; it is listed when they are not, when
    its document's model refuses it, and when it is in conflict with what is there. When the source
    fails, the rows placed so far stay, and count as existing in the next run.
    """
    stats = ImportStats()
    placement = DryRunTarget(database) if dry_run else Placement(database)
    with source, placement:
        placing = _Placing(placement, stats)
        for table, columns in [*_readable(source, stats)]:
            rows = source.rows(table, columns)
            for batch in in_batches(rows, BATCH):
                placing.place_batch(table, batch)
    return stats.report(database.name, dry_run=dry_run)


def _readable(source: Source, stats: ImportStats) -> Iterator[tuple[Table, list[str]]]:
    """Choose the tables and columns to read, and note what is missing and what is ignored."""
    found = {table.name: source.columns(table) for table in TABLES}
    if not any(found.values()):
        names = ", ".join(source.place(table) for table in TABLES)
        raise TablesMissing(f"There is nothing to import: no {names}.")
    for table in TABLES:
        columns = found[table.name]
        if columns is None:
            stats.note(f"There is no {source.place(table)}; what points into it has no place.")
            continue
        _check_columns(source.place(table), table, columns)
        if ignored := sorted({*columns}.difference(table.column_names)):
            stats.note(f"Ignored in {source.place(table)}: {', '.join(ignored)}.")
        yield table, [name for name in table.column_names if name in columns]


def _check_columns(place: str, table: Table, columns: Iterable[str]) -> None:
    if missing := [name for name in table.needed if name not in columns]:
        raise ColumnsMissing(f"The {place} lacks {', '.join(missing)}; nothing was imported.")


class _Placing:
    """A run's work on batch after batch; memory does not grow with the rows."""

    def __init__(self, placement: Placement, stats: ImportStats) -> None:
        self._placement = placement
        self._stats = stats
        self._batch: dict[int, SourceRow] = {}
        self._began = datetime.now(UTC)

    def place_batch(self, table: Table, rows: Sequence[SourceRow]) -> None:
        """Place the rows of a batch that have no document yet, and count."""
        self._stats.count(table.name, "read", len(rows))
        self._batch = self._named(table, rows)
        there = self._placement.parents(table.name, self._batch.keys())
        self._stats.count(table.name, "existing", len(there))
        new = {own: row for own, row in self._batch.items() if own not in there}
        fields = self._each(table, new, lambda _, row: fields_of(table, row))
        foreign_keys = ForeignKeys(self._placement, table, fields)
        related = self._each(table, fields, foreign_keys.resolve)
        documents = self._each(table, related, lambda own, fields: document_of(table, own, fields))
        if table is USERS:
            self._place_users(documents)
        else:
            self._insert(table, documents)

    def _place_users(self, documents: Mapping[int, Document]) -> None:
        """Separate the rows that are users of StoryCanvas from those that become new ones."""
        emails = {user["email"] for user in documents.values()}
        usernames = {user["username"] for user in documents.values()}
        matcher = UserMatcher(self._placement.users_like(emails, usernames))

        def decide(own: int, document: Document) -> Document | Merge:
            return matcher.match(document, (self._batch[own].cells["email"] or "").strip())

        decided = self._each(USERS, documents, decide)
        merges = [decision for decision in decided.values() if isinstance(decision, Merge)]
        # The app cannot read a user without a time of its creation.
        new = {
            own: {**decision, "created_at": decision["created_at"] or self._began}
            for own, decision in decided.items()
            if not isinstance(decision, Merge)
        }
        self._insert(USERS, new)
        self._count(USERS, "merged", len(merges), self._placement.merge(merges))

    def _insert(self, table: Table, documents: Mapping[int, Document]) -> None:
        result = self._placement.insert(table.name, documents)
        self._count(table, "created", len(documents), result)

    def _count(self, table: Table, outcome: Outcome, tried: int, result: StoreResult) -> None:
        done = tried - len(result.existing) - len(result.refused)
        self._stats.count(table.name, outcome, done)
        self._stats.count(table.name, "existing", len(result.existing))
        for legacy_id, reason in result.refused.items():
            self._refuse(table, legacy_id, reason)

    def _each(
        self, table: Table, given: Mapping[int, Given], make: Callable[[int, Given], Made]
    ) -> dict[int, Made]:
        """Convert each row, and list those that are refused."""
        made: dict[int, Made] = {}
        for legacy_id, item in given.items():
            try:
                made[legacy_id] = make(legacy_id, item)
            except RowRefused as refused:
                self._refuse(table, legacy_id, str(refused))
        return made

    def _refuse(self, table: Table, legacy_id: int, reason: str) -> None:
        self._stats.refuse(table.name, self._batch[legacy_id].number, legacy_id, reason)

    def _named(self, table: Table, rows: Iterable[SourceRow]) -> dict[int, SourceRow]:
        """Read the id of each row."""
        named: dict[int, SourceRow] = {}
        for row in rows:
            try:
                legacy_id = legacy_id_of(row)
            except RowRefused as refused:
                self._stats.refuse(table.name, row.number, None, str(refused))
                continue
            if named.setdefault(legacy_id, row) is not row:
                reason = f"row {named[legacy_id].number} has the same id {legacy_id}"
                self._stats.refuse(table.name, row.number, None, reason)
        return named
