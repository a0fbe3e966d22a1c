"""What can be said about a migration by looking at the database."""

import pymongo
from pydantic import BaseModel, ConfigDict, Field
from pymongo.database import Database

from db.connection import Document
from db.migrate.field_change import FieldChange

CHECK_SECONDS = 3600.0
"""For counting a whole collection, in place of the connection's 10 s."""
LISTED = 20
"""Cases that a report lists for each kind; it counts them all."""


class Unresolved(BaseModel):
    """Documents that a migration leaves as they are because a person has to decide.

    Attributes:
        what: What is the matter and what to do, in one sentence.
        count: How many there are.
        examples: The first of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str
    count: int
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = ", ..." if self.count > len(self.examples) else ""
        return f"{self.what} ({self.count}: {', '.join(self.examples)}{more})"


class Check(BaseModel):
    """What a migration has still to do, and what it has done, whoever did it and when.

    Attributes:
        remaining: Documents that are not as they should be, by `collection.field`.
        changed: Documents that the migration changed, by `collection.field`.
        unresolved: What it leaves to a person.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    remaining: dict[str, int] = Field(default_factory=dict)
    changed: dict[str, int] = Field(default_factory=dict)
    unresolved: tuple[Unresolved, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to change."""
        return not any(self.remaining.values())

    @property
    def is_undone(self) -> bool:
        """Whether nothing that was changed is left."""
        return not any(self.changed.values())

    def __add__(self, other: "Check") -> "Check":
        return Check(
            remaining=self.remaining | other.remaining,
            changed=self.changed | other.changed,
            unresolved=self.unresolved + other.unresolved,
        )


def check_fields(database: Database[Document], change: FieldChange) -> Check:
    """Count what a change of fields has still to do and has done.

    Args:
        database: The StoryCanvas database.
        change: The change.
    """
    with pymongo.timeout(CHECK_SECONDS):
        remaining, changed = change.counts(database[change.collection])
    return Check(
        remaining={f"{change.collection}.{name}": count for name, count in remaining.items()},
        changed={f"{change.collection}.{name}": count for name, count in changed.items()},
    )
