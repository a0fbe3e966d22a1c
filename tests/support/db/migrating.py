"""What the tests of the migrations share: a migrator, and what a database holds, byte for byte."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection

from db.migrations.engine.check import Check, MoveReport
from db.migrations.engine.fields import FieldChange
from db.migrations.engine.migration import Migration, load_migrations
from db.migrations.engine.migrator import Migrator, no_progress
from db.migrations.engine.work import Work
from db.migrations.versions.m0005_dates import HISTORY, read_each_entry
from tests.support.db.database_state import Data, indexes_of

Document = dict[str, Any]

UNDO = "migration_undo"
OWN = {"migrations", "locks"}
"""Collections that migrating itself writes."""
LEASE = timedelta(seconds=10)


@cache
def every_migration() -> tuple[Migration, ...]:
    return load_migrations()


def migration(number: int) -> Migration:
    return {migration.number: migration for migration in every_migration()}[number]


def migrator(database: Data, *numbers: int, lease: timedelta = LEASE) -> Migrator:
    """Make a migrator that knows some migrations, or all of them."""
    known = tuple(map(migration, numbers)) or every_migration()
    return Migrator(database, "a test", known, lease=lease)


def go_up(database: Data, number: int) -> MoveReport:
    """Apply a migration, also when it is applied already, and report the result."""
    [move] = migrator(database, number).apply(str(number), repeat=True).moves
    return move


def go_down(database: Data, number: int) -> None:
    migrator(database, number).apply("0")


def check(database: Data, number: int) -> Check:
    return migration(number).check(database)


def unresolved(database: Data, number: int) -> dict[str, tuple[str, ...]]:
    """What a migration leaves to a person, by the first words of the reason."""
    return {
        left.what.partition(";")[0]: left.examples for left in check(database, number).unresolved
    }


def statuses(database: Data) -> dict[int, str]:
    return {record["_id"]: record["status"] for record in database["migrations"].find().sort("_id")}


def raw_documents(database: Data) -> dict[str, list[bytes]]:
    """The bytes of every document, in the order of `_id`."""
    options: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)
    return {
        name: [document.raw for document in of_kind(database, name, options).find().sort("_id")]
        for name in sorted(set(database.list_collection_names()) - OWN)
    }


def of_kind(database: Data, name: str, options: CodecOptions[Any]) -> Collection[Any]:
    return database.get_collection(name, codec_options=options)


def indexes(database: Data) -> dict[str, dict[str, Document]]:
    """Every index by its name, as the server describes it."""
    return {
        name: {index["name"]: index for index in indexes_of(database, name)}
        for name in sorted(set(database.list_collection_names()) - OWN)
    }


def whole(database: Data) -> tuple[dict[str, list[bytes]], dict[str, dict[str, Document]]]:
    return raw_documents(database), indexes(database)


def without_now(found: dict[str, list[bytes]]) -> dict[str, list[bytes]]:
    """Leave out the times of migrating: of a merge, and of a user's creation where unknown."""
    return {**found, "users": [_without_now(user) for user in found["users"]]}


def _without_now(raw: bytes) -> bytes:
    user = bson.decode(raw)
    notes = user.get(UNDO, {})
    for key, name in (("m0004", "deleted_at"), ("m0007", "created_at")):
        if name in notes.get(key, {}):
            user[name] = notes[key][name]["now"] = None
    return bson.encode(user)


def without_notes(document: Document) -> Document:
    """Leave out what migrations noted in a document."""
    return {name: value for name, value in document.items() if name != UNDO}


def by_id(database: Data, collection: str) -> dict[Any, Document]:
    """Documents by their `id`, without what migrations noted in them."""
    return {document["id"]: without_notes(document) for document in database[collection].find()}


def up_and_down(database: Data, number: int, between: Callable[[], object] = tuple) -> None:
    """Apply a migration and undo it, with something done in between."""
    go_up(database, number)
    between()
    go_down(database, number)


def read_in_part(database: Data) -> None:
    """Apply migration 5 as it was before it left histories that it cannot read as a whole."""
    change = FieldChange("m0005", "characters", {HISTORY: read_each_entry})
    Work(database, ensure_held=lambda: None, progress=no_progress).change(change)


def undo(database: Data, number: int) -> None:
    """Carry out a migration's way down, whatever is recorded of it."""
    down = migration(number).down
    assert down
    down(Work(database, ensure_held=lambda: None, progress=no_progress))


def assert_reversible(database: Data, number: int) -> None:
    """Check that a migration ends, that a second run changes nothing, and that down undoes both."""
    before = whole(database)
    go_up(database, number)
    assert check(database, number).is_done
    go_down(database, number)
    assert whole(database) == before
    go_up(database, number)
    after = whole(database)
    go_up(database, number)
    assert whole(database) == after
    go_down(database, number)
    assert whole(database) == before
