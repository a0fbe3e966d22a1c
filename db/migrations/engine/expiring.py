"""Migrations that would change the field of a TTL index, by which MongoDB then removes documents.

Such an index sleeps on a field of texts. Once a migration made dates of them, MongoDB removes
within a minute every document whose time is over, and no undo note brings it back.
"""

from collections.abc import Sequence

from pymongo.database import Database

from db.connection import Document
from db.errors import DocumentsWouldExpire
from db.migrations.engine.migration import Migration, Move
from db.setup.expiry import ExpiringIndex, expiring_indexes


def expiring_by(database: Database[Document], moves: Sequence[Move]) -> tuple[str, ...]:
    """Name each TTL index on a field that some moves may change, with what it would remove today.

    Both directions change fields: going down puts older times back.
    """
    if not moves:
        return ()
    found = []
    for index in expiring_indexes(database):
        changing = [move.migration for move in moves if _may_change(move.migration, index)]
        if changing:
            found.append(f"{index}; {_named(changing)} may change that field")
    return tuple(found)


def refuse_expiring(database: Database[Document], moves: Sequence[Move]) -> None:
    """Refuse moves that may change the field of a TTL index.

    Raises:
        DocumentsWouldExpire: Names each index, and how many documents it would remove today.
    """
    if found := expiring_by(database, moves):
        raise DocumentsWouldExpire(
            f"Nothing was changed, since MongoDB would remove documents by a changed time. "
            f"{'. '.join(found)}. Drop the index, or say keep_ttl."
        )


def _may_change(migration: Migration, index: ExpiringIndex) -> bool:
    if migration.changes is None or not migration.writes_times:
        return migration.writes_times
    return index.is_on(migration.changes.get(index.collection, ()))


def _named(migrations: Sequence[Migration]) -> str:
    noun = "migration" if len(migrations) == 1 else "migrations"
    return f"{noun} {', '.join(map(str, migrations))}"
