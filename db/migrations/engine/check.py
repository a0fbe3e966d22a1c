"""What the database shows about a migration."""

from collections.abc import Iterable
from itertools import islice

from pydantic import BaseModel, ConfigDict, Field
from pymongo.database import Database

from db.connection import Document
from db.migrations.engine.fields import FieldChange
from db.setup.compare import collection_names

MAX_EXAMPLES = 20
"""Cases that a report lists for each kind; it counts them all."""


class Unresolved(BaseModel):
    """Documents that a migration leaves as they are because a person has to decide.

    Attributes:
        what: What is wrong and what to do, in one sentence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str
    count: int
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.examples:
            return f"{self.what} ({self.count})"
        more = ", ..." if self.count > len(self.examples) else ""
        return f"{self.what} ({self.count}: {', '.join(self.examples)}{more})"


def left_to_a_person(what: str, count: int, documents: Iterable[Document]) -> Unresolved:
    """List documents by `id`, or by `_id` where there is none."""
    first = islice(documents, MAX_EXAMPLES)
    examples = tuple(str(document.get("id", document["_id"])) for document in first)
    return Unresolved(what=what, count=count, examples=examples)


class Check(BaseModel):
    """What a migration has still to do, and what any run of it has done.

    Attributes:
        remaining: Documents that have to change, by `collection.field`.
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
    """Count what a change of fields has still to do and has done."""
    if change.collection not in collection_names(database):
        return Check()
    counts = change.counts(database[change.collection])
    return Check(
        remaining={f"{change.collection}.{name}": n for name, n in counts.wrong.items()},
        changed={f"{change.collection}.{name}": n for name, n in counts.noted.items()},
        unresolved=_too_large(change.collection, counts.too_large),
    )


def _too_large(collection: str, count: int) -> tuple[Unresolved, ...]:
    if not count:
        return ()
    what = f"Documents of {collection} too large for an undo note; make them smaller"
    return (Unresolved(what=what, count=count),)
