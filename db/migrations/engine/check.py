"""What the database shows about a migration, and the report of what migrating did."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal

from pydantic import Field
from pymongo.database import Database

from db.connection import Document
from db.migrations.engine.fields import FieldChange
from db.migrations.engine.odd import NULL_ID, Oddity, oddities, which_oddity, writable
from db.schema.documents.base import Frozen
from db.setup.compare import collection_names
from storycanvas.net.wording import counted

Direction = Literal["up", "down"]

MAX_EXAMPLES = 20
"""Cases that a report lists for each kind; it counts them all."""


class Unresolved(Frozen):
    """Documents that a migration leaves as they are because a person has to decide.

    Attributes:
        what: What is wrong and what to do, in one sentence.
    """

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


def left_by(
    database: Database[Document], collection: str, query: Document, what: str
) -> tuple[Unresolved, ...]:
    """Count and list the documents that a query finds; nothing when there are none."""
    count = database[collection].count_documents(query)
    if not count:
        return ()
    first = database[collection].find(query, {"id": True}).limit(MAX_EXAMPLES)
    return (left_to_a_person(what, count, first),)


class Check(Frozen):
    """What a migration has still to do, and what any run of it has done.

    Attributes:
        remaining: Documents that have to change, by `collection.field`.
        changed: Documents that the migration changed, by `collection.field`.
        unresolved: What it leaves to a person.
    """

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
        unresolved=_left(database, change, counts.left),
    )


def _left(
    database: Database[Document], change: FieldChange, numbers: Iterable[int]
) -> tuple[Unresolved, ...]:
    found: tuple[Unresolved, ...] = ()
    for number in numbers:
        what, query = change.left_by(number)
        found += left_by(database, change.collection, query, what)
    return found


def left_odd(
    database: Database[Document],
    collection: str,
    query: Document,
    odd: Sequence[Oddity] = oddities(),
) -> tuple[Unresolved, ...]:
    """List the documents that a query finds and that cannot be written, by their oddity."""
    documents = database[collection]
    if not documents.count_documents({"$and": [query, {"$expr": {"$not": [writable(odd)]}}]}):
        return ()
    found: tuple[Unresolved, ...] = ()
    for number, oddity in enumerate(odd, 1):
        is_left = {"$and": [query, {"$expr": {"$eq": [which_oddity(odd), number]}}]}
        found += left_by(database, collection, is_left, f"Documents of {collection} {oddity.what}")
    return found


def left_without_id(
    database: Database[Document], collection: str, query: Document
) -> tuple[Unresolved, ...]:
    """List the document that a query finds and whose `_id` is null."""
    what = f"Documents of {collection} whose _id is null, which cannot be named; copy them anew"
    return left_by(database, collection, {"$and": [query, NULL_ID]}, what)


def left_views(database: Database[Document], names: Iterable[str]) -> tuple[Unresolved, ...]:
    """List the names under which there is a view instead of a collection."""
    views = {*database.list_collection_names(filter={"type": {"$ne": "collection"}})} & {*names}
    what = "Views in the place of collections, in which nothing can be changed; rename them"
    return (
        (Unresolved(what=what, count=len(views), examples=tuple(sorted(views))),) if views else ()
    )


class MoveReport(Frozen):
    """What became of one migration.

    Attributes:
        counts: Documents that it changed, or has to, by `collection.field`.
        unresolved: What it leaves to a person.
        seconds: How long it took; 0 of a dry run.
        repeated: Whether it was applied before, and the counts are of documents written since.
    """

    number: int
    name: str
    direction: Direction
    counts: dict[str, int] = Field(default_factory=dict)
    unresolved: tuple[Unresolved, ...] = ()
    seconds: float = 0.0
    repeated: bool = False

    def line(self, *, dry_run: bool) -> str:
        """Summarise in one line what it did, or would do."""
        done = {"up": "applied", "down": "undone"}[self.direction]
        done = f"{done} to documents written since" if self.repeated else done
        verb = f"would be {done}" if dry_run else f"{done} in {self.seconds:.1f} s"
        counts = ", ".join(f"{name} {count}" for name, count in self.counts.items() if count)
        return f"Migration {self.number} ({self.name}) {verb}: {counts or 'nothing to change'}."


class MigrationReport(Frozen):
    """What migrating did, or would do.

    Attributes:
        applied: In a dry run, one sentence for each migration that is applied.
        moves: What was applied or undone, in this order.
        accepted: Documents by collection that lost undo notes; None where that was not asked for.
        lowest: The lowest number that the database can go back to, once this is accepted.
        expiring: In a dry run, one sentence for each TTL index on a field that would be changed.
    """

    database: str
    dry_run: bool
    target: str
    applied: tuple[str, ...] = ()
    moves: tuple[MoveReport, ...]
    accepted: dict[str, int] | None = None
    lowest: int = 0
    expiring: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Summarise in one line each what is applied and what became of each migration."""
        yield from self.applied
        for move in self.moves:
            yield move.line(dry_run=self.dry_run)
        for collection, count in (self.accepted or {}).items():
            documents = counted(count, "document")
            yield f"{collection}: undo notes {self._verb} removed from {documents}."

    def summary(self) -> str:
        """Summarise in a sentence or two what became of the database."""
        numbers = ", ".join(
            f"{move.number} {'again' if move.repeated else move.direction}" for move in self.moves
        )
        carried_out = f"migrations {self._verb} carried out to {self.target}: {numbers}."
        done = carried_out if self.moves else f"nothing to migrate, it is at {self.target}."
        return f"Database {self.database}: {done}{self._accepting}"

    @property
    def _verb(self) -> str:
        return "would be" if self.dry_run else "were"

    @property
    def _accepting(self) -> str:
        if self.accepted is None:
            return ""
        ends = "would end" if self.dry_run else "ends"
        documents = counted(sum(self.accepted.values()), "document")
        return (
            f" The undo notes {self._verb} removed from {documents}; going down {ends} at "
            f"{self.lowest}."
        )
