"""What migrating did, or would do."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

from db.migrations.engine.check import Unresolved
from db.migrations.engine.migration import Direction


class _ReportPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MoveReport(_ReportPart):
    """What became of one migration.

    Attributes:
        counts: Documents that it changed, or has to, by `collection.field`.
        unresolved: What it leaves to a person.
        seconds: How long it took; 0 of a dry run.
    """

    number: int
    name: str
    direction: Direction
    counts: dict[str, int] = Field(default_factory=dict)
    unresolved: tuple[Unresolved, ...] = ()
    seconds: float = 0.0

    def line(self, *, dry_run: bool) -> str:
        """Summarise in one line what it did, or would do."""
        done = {"up": "applied", "down": "undone"}[self.direction]
        verb = f"would be {done}" if dry_run else f"{done} in {self.seconds:.1f} s"
        counts = ", ".join(f"{name} {count}" for name, count in self.counts.items() if count)
        return f"Migration {self.number} ({self.name}) {verb}: {counts or 'nothing to change'}."


class MigrationReport(_ReportPart):
    """What migrating did, or would do.

    Attributes:
        applied: In a dry run, one sentence for each migration that is applied.
        moves: What was applied or undone, in this order.
    """

    database: str
    dry_run: bool
    target: str
    applied: tuple[str, ...] = ()
    moves: tuple[MoveReport, ...]

    def lines(self) -> Iterator[str]:
        """Summarise in one line each what is applied and what became of each migration."""
        yield from self.applied
        for move in self.moves:
            yield move.line(dry_run=self.dry_run)

    def summary(self) -> str:
        """Summarise in one sentence what became of the database."""
        if not self.moves:
            return f"Database {self.database}: nothing to migrate, it is at {self.target}."
        numbers = ", ".join(f"{move.number} {move.direction}" for move in self.moves)
        verb = "would be" if self.dry_run else "were"
        return (
            f"Database {self.database}: migrations {verb} carried out to {self.target}: {numbers}."
        )
