"""What `migrate-characters` found and did."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from db.migrate.character_statistics import CharacterStatistics
from db.migrate.report import MigrationReport


class CharacterMigrationReport(BaseModel):
    """What `migrate-characters` found and did.

    Attributes:
        before: Counts before anything was changed.
        migration: What was changed, or would be.
        after: Counts at the end; those from before when it only looked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    before: CharacterStatistics
    migration: MigrationReport
    after: CharacterStatistics

    def lines(self) -> Iterator[str]:
        """Say each count, before and after, and what was changed."""
        pairs = zip(self.before.lines(), self.after.lines(), strict=True)
        for before, after in pairs:
            yield f"{before} before, {after.rpartition(' ')[2]} after"
        yield from self.migration.lines()

    def summary(self) -> str:
        """Say in one sentence how many characters are complete."""
        would = " (dry run, nothing was changed)" if self.migration.dry_run else ""
        return (
            f"Database {self.migration.database}: {self.after.complete} of {self.after.total} "
            f"characters have all FaceFusion fields{would}."
        )
