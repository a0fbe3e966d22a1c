"""How many characters have their FaceFusion fields as they should be."""

from collections.abc import Iterator

from pymongo.database import Database

from db.connection import Document, translated_errors
from db.migrations.engine.check import MigrationReport, Unresolved
from db.migrations.kept_values import find_kept_values
from db.migrations.versions.m0001_character_fields import FIELDS
from db.schema.documents.base import Frozen


class CharacterStatistics(Frozen):
    """The counts that the app's own migration script prints.

    Attributes:
        total: All characters, deleted ones included.
        with_field: How many have each field as it should be, without an invalid value in it.
        complete: How many have all of them so.
        invalid: The values that the app's models refuse and that the migration keeps.
    """

    total: int
    with_field: dict[str, int]
    complete: int
    invalid: tuple[Unresolved, ...] = ()

    def lines(self) -> Iterator[str]:
        """Write each count in one line."""
        yield f"characters: {self.total}"
        for name, count in self.with_field.items():
            yield f"with {name}: {count}"
        yield f"complete: {self.complete}"


def character_statistics(database: Database[Document]) -> CharacterStatistics:
    """Count characters."""
    right = FIELDS.are_right()
    sums = {str(number): {"$sum": {"$toInt": test}} for number, test in enumerate(right.values())}
    complete = {"$sum": {"$toInt": {"$and": [*right.values()]}}}
    group = {"_id": None, "total": {"$sum": 1}, "complete": complete, **sums}
    with translated_errors():
        found = next(iter(database[FIELDS.collection].aggregate([{"$group": group}])), {})
        kept = find_kept_values(database)
    return CharacterStatistics(
        total=found.get("total", 0),
        with_field={
            name: found.get(str(number), 0) - kept.with_field[name]
            for number, name in enumerate(right)
        },
        complete=found.get("complete", 0) - kept.complete,
        invalid=kept.unresolved(),
    )


class CharacterMigrationReport(Frozen):
    """What `migrate-characters` found and did.

    Attributes:
        before: Counts before anything was changed.
        after: Counts at the end; those from before when it only looked.
    """

    before: CharacterStatistics
    migration: MigrationReport
    after: CharacterStatistics

    def lines(self) -> Iterator[str]:
        """Write each count, before and after, and what was changed."""
        pairs = zip(self.before.lines(), self.after.lines(), strict=True)
        for before, after in pairs:
            yield f"{before} before, {after.rpartition(' ')[2]} after"
        yield from self.migration.lines()

    def summary(self) -> str:
        """Count in one sentence how many characters are complete."""
        kept = sum(left.count for left in self.after.invalid)
        values = f"; invalid values that are kept: {kept}" if kept else ""
        would = " (dry run, nothing was changed)" if self.migration.dry_run else ""
        return (
            f"Database {self.migration.database}: {self.after.complete} of {self.after.total} "
            f"characters have all FaceFusion fields{values}{would}."
        )
