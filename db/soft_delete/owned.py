"""Which documents own others, found along the relations that own."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter

from pymongo.client_session import ClientSession
from pymongo.database import Database

from db.connection import Document, in_batches
from db.schema.collections import COLLECTIONS
from db.schema.relations import RELATIONS, SOFT_DELETABLE, Relation, owned_by

BATCH = 1000
"""Most ids that one query or update names."""


@dataclass(frozen=True)
class Owners:
    """Documents of one collection on which others may hang.

    Attributes:
        ids: Their `id`s, at most `BATCH`; none is empty, since an empty id means no parent.
    """

    collection: str
    ids: tuple[str, ...]


def children_first() -> tuple[str, ...]:
    """Order the soft-deletable collections so that each comes before those that own it."""
    owners = {
        collection.name: collection.name
        for collection in COLLECTIONS
        if collection.name in SOFT_DELETABLE
    }
    graph = {
        name: {relation.collection for relation in owned_by(name) if relation.collection != name}
        for name in owners
    }
    return tuple(TopologicalSorter(graph).static_order())


def parents_of(collection: str) -> tuple[Relation, ...]:
    """Choose the relations by which a collection's documents belong to a parent."""
    return tuple(
        relation for relation in RELATIONS if relation.owned and relation.collection == collection
    )


def is_id(value: object) -> bool:
    """Check whether a value names a document; null and an empty text do not."""
    return isinstance(value, str) and bool(value)


def owners(
    database: Database[Document],
    collection: str,
    ids: Iterable[str],
    session: ClientSession | None = None,
) -> list[Owners]:
    """Find what may own something among documents and all that they own, whether deleted or not.

    Batches of owners come before those of what they own. Each document comes once, so a circle of
    scenes ends the walk. Memory grows with the documents that may own something, about 100 bytes
    each; a project's clips are not held.
    """
    seen = {(collection, document_id) for document_id in ids if is_id(document_id)}
    waiting = deque(
        Owners(collection, batch)
        for batch in in_batches(sorted(document_id for _, document_id in seen), BATCH)
    )
    found: list[Owners] = []
    while waiting:
        batch = waiting.popleft()
        found.append(batch)
        for relation in owned_by(batch.collection):
            if owned_by(relation.collection):
                fresh = _owned_ids(database, relation, batch, session) - seen
                seen |= fresh
                parts = in_batches(sorted(document_id for _, document_id in fresh), BATCH)
                waiting.extend(Owners(relation.collection, part) for part in parts)
    return found


def _owned_ids(
    database: Database[Document],
    relation: Relation,
    batch: Owners,
    session: ClientSession | None,
) -> set[tuple[str, str]]:
    children = database[relation.collection].find(
        {relation.field: {"$in": [*batch.ids]}}, {"_id": False, "id": True}, session=session
    )
    return {(relation.collection, child["id"]) for child in children if is_id(child.get("id"))}
