"""Loading a couple face-swap database into StoryCanvas.

It may be run at any time, by any number of processes at once, and killed at any moment: the next
run adds what is missing. A document with a row's `legacy_id` counts as that row, so a StoryCanvas
database takes one couple face-swap database.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeVar

from pymongo.database import Database

from db.connection import Document, in_batches
from db.couple_import.changes import RULES, Change, change_of, may_change, seen_fields
from db.couple_import.dry_run import DryRunTarget
from db.couple_import.errors import RowRefused, TablesMissing
from db.couple_import.foreign_keys import ForeignKeys
from db.couple_import.placement import Placement, StoreResult
from db.couple_import.report import ImportReport, ImportStats, Outcome
from db.couple_import.rows import Source, SourceRow, document_of, fields_of, legacy_id_of
from db.couple_import.tables import FACESWAP_TASKS, TABLES, USERS, Table
from db.couple_import.users import Merge, UserMatcher
from db.couple_import.versions import check_columns, version_of
from db.schema.later_names import Fields

BATCH = 1000
"""Rows that are placed at a time."""

Processing = Literal["requeue", "keep"]
"""What becomes of tasks that the app is processing: they wait again, or stay as they are."""

Given = TypeVar("Given")
Made = TypeVar("Made")


def import_tables(
    database: Database[Document],
    source: Source,
    *,
    dry_run: bool = False,
    processing: Processing = "requeue",
) -> ImportReport:
    """Place every row of every table, each table after those that it points into.

    A row is stored when all the rows that it points to are; it is listed when they are not, when
    its document's model refuses it, and when it is in conflict with what is there. When the source
    fails, the rows placed so far stay, and count as existing in the next run.
    """
    stats = ImportStats()
    placement = DryRunTarget(database) if dry_run else Placement(database)
    with source, placement:
        placing = _Placing(placement, stats, processing)
        for table, columns in [*_readable(source, stats)]:
            rows = source.rows(table, columns)
            for batch in in_batches(rows, BATCH):
                placing.place_batch(table, batch)
    stats.note_unfinished(processing, dry_run=dry_run)
    return stats.report(database.name, dry_run=dry_run)


def _readable(source: Source, stats: ImportStats) -> Iterator[tuple[Table, list[str]]]:
    """Choose the tables and columns to read, and note what is missing and what is ignored."""
    found = {table: names for table in TABLES if (names := source.columns(table)) is not None}
    places = {table: source.place(table) for table in TABLES}
    if not any(found.values()):
        raise TablesMissing(f"There is nothing to import: no {', '.join(places.values())}.")
    check_columns(places, found)
    stats.version = version_of(found)
    is_later = any(table.later for table in found)
    for table in TABLES:
        if table not in found:
            if is_later or not table.later:
                stats.note(f"There is no {places[table]}; what points into it has no place.")
            continue
        if ignored := sorted({*found[table]}.difference(table.column_names)):
            stats.note(f"Ignored in {places[table]}: {', '.join(ignored)}.")
        yield table, [name for name in table.column_names if name in found[table]]


class _Placing:
    """A run's work on batch after batch; memory does not grow with the rows."""

    def __init__(self, placement: Placement, stats: ImportStats, processing: Processing) -> None:
        self._placement = placement
        self._stats = stats
        self._processing = processing
        self._batch: dict[int, SourceRow] = {}
        self._unfinished: set[int] = set()
        self._began = datetime.now(UTC)

    def place_batch(self, table: Table, rows: Sequence[SourceRow]) -> None:
        """Place the rows of a batch that have no document yet, let the others follow, and count."""
        self._stats.count(table.name, "read", len(rows))
        self._batch = self._named(table, rows)
        self._unfinished = set()
        there = self._placement.parents(table.name, self._batch.keys()).keys()
        following = self._following(table, there)
        documents = self._documents(table, there - following.keys())
        changes = self._changes(table, following, documents)
        new = {own: document for own, document in documents.items() if own not in there}
        same = there - following.keys() | (documents.keys() & following.keys()) - changes.keys()
        self._stats.count(table.name, "existing", len(same))
        if table is USERS:
            self._place_users(new)
        else:
            self._insert(table, new)
        if changes:
            changed = self._placement.change(table.name, changes)
            self._count(table, "updated", {*changes}, changed)

    def _following(self, table: Table, there: Iterable[int]) -> dict[int, Document]:
        """Find the documents that their rows may change."""
        if table.name not in RULES:
            return {}
        found = self._placement.states(table.name, [*there], seen_fields(table))
        return {own: stored for own, stored in found.items() if may_change(table, stored)}

    def _documents(self, table: Table, left: Collection[int]) -> dict[int, Document]:
        """Make the documents of the batch, but those that are there and stay as they are."""
        wanted = {own: row for own, row in self._batch.items() if own not in left}
        fields = self._each(table, wanted, lambda own, row: self._fields(table, own, row))
        foreign_keys = ForeignKeys(self._placement, table, fields)
        related = self._each(table, fields, foreign_keys.resolve)
        return self._each(table, related, lambda own, fields: document_of(table, own, fields))

    def _fields(self, table: Table, own: int, row: SourceRow) -> Fields:
        """Read a row; a task that the app did not finish waits again, if that is wanted."""
        fields = fields_of(table, row)
        is_unfinished = (
            table is FACESWAP_TASKS
            and fields.get("status") == "processing"
            and fields.get("result_image_id") is None
        )
        if not is_unfinished:
            return fields
        self._unfinished.add(own)
        again: Fields = {"status": "pending", "progress": 0, "started_at": None}
        return fields | again if self._processing == "requeue" else fields

    def _changes(
        self, table: Table, following: Mapping[int, Document], documents: Mapping[int, Document]
    ) -> dict[int, Change]:
        decided = {
            own: change_of(table, stored, documents[own])
            for own, stored in following.items()
            if own in documents
        }
        return {own: change for own, change in decided.items() if change is not None}

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
        merged = {merge.legacy_id for merge in merges}
        self._count(USERS, "merged", merged, self._placement.merge(merges))

    def _insert(self, table: Table, documents: Mapping[int, Document]) -> None:
        result = self._placement.insert(table.name, documents)
        self._count(table, "created", {*documents}, result)

    def _count(self, table: Table, outcome: Outcome, tried: set[int], result: StoreResult) -> None:
        done = tried - result.existing - result.refused.keys()
        self._stats.count(table.name, outcome, len(done))
        self._stats.count(table.name, "existing", len(result.existing))
        self._stats.unfinished += len(done & self._unfinished)
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
