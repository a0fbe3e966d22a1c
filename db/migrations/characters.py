"""How many characters have their FaceFusion fields as they should be."""

from collections.abc import Iterator
from typing import Self

from pydantic import Field
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
        kept_in: How many have such a value, by field, whether or not the field is as it should be.
        kept_by: How many have such a value in any of the fields.
    """

    total: int
    with_field: dict[str, int]
    complete: int
    invalid: tuple[Unresolved, ...] = ()
    kept_in: dict[str, int] = Field(default_factory=dict)
    kept_by: int = 0

    def lines(self) -> Iterator[str]:
        """Write each count in one line."""
        yield f"characters: {self.total}"
        for name, count in self.with_field.items():
            yield f"with {name}: {count}"
        yield f"complete: {self.complete}"

    def once_migrated(self) -> Self:
        """Count the same characters after the migration has changed all of them."""
        with_field = {name: self.total - self.kept_in.get(name, 0) for name in self.with_field}
        counts = {"with_field": with_field, "complete": self.total - self.kept_by}
        return self.model_copy(update=counts)


def character_statistics(
    database: Database[Document], before: CharacterStatistics | None = None
) -> CharacterStatistics:
    """Count characters.

    The migration keeps invalid values, and to look for them costs twice as much as to count. So
    with the counts from `before` they are not looked for again once all characters are migrated.
    """
    right = FIELDS.are_right()
    sums = {str(number): {"$sum": {"$toInt": test}} for number, test in enumerate(right.values())}
    complete = {"$sum": {"$toInt": {"$and": [*right.values()]}}}
    group = {"_id": None, "total": {"$sum": 1}, "complete": complete, **sums}
    with translated_errors():
        found = next(iter(database[FIELDS.collection].aggregate([{"$group": group}])), {})
        total = found.get("total", 0)
        if before and before.total == total == found.get("complete", 0):
            return before.once_migrated()
        kept = find_kept_values(database)
    return CharacterStatistics(
        total=total,
        with_field={
            name: found.get(str(number), 0) - kept.with_field[name]
            for number, name in enumerate(right)
        },
        complete=found.get("complete", 0) - kept.complete,
        invalid=kept.unresolved(),
        kept_in=dict(kept.fields),
        kept_by=kept.documents,
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
