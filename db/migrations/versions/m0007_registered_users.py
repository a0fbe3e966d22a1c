"""Users that were imported, renamed or merged get what the app's registration writes.

The app reads `api_keys`, `is_active` and `created_at` of a user, and looks users up by the
lower-cased name and address, deleted ones too (docs/schema.md, Users). So a user that migration 4
merged gives its name and address free. Two names that differ in case only stay, and are listed.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.connection import Document, in_batches
from db.errors import ValueTaken
from db.migrations.engine.check import Check, Unresolved, left_odd, left_to_a_person
from db.migrations.engine.fields import forget, restore_from_undo, set_with_undo
from db.migrations.engine.odd import BROKEN_TEXT, NOT_DOUBLED, UNDO, WRITABLE, is_collection
from db.migrations.engine.work import Work
from db.schema.documents.couple_swap import no_api_keys
from db.users import AT_ONCE, CAPITALS, MERGED_INTO, is_merged, users_alike

FORMER_CHECKSUMS = (
    "778804ad20dbe3b1a66a4119c09f0137a33c3e45f4d4ae693a659ba66d3dbd4a",
    "2555d1f9946b7cd91797dc394d57785347781a520975a28510b861b9323030c5",
)
"""Of this file before pieces that stood twice became calls; its steps are the same."""

_KEY = "m0007"
_NAMES = ("username", "email")
_FIELDS = (*_NAMES, "api_keys", "is_active", "created_at")
_FREED = "merged:"
"""Begins the name and address of a merged user; no user can register with it or log in by it."""
_INCOMPLETE: Document = {
    "id": {"$type": "string"},
    MERGED_INTO: None,
    "$or": [
        {"api_keys": None},
        {"is_active": {"$exists": False}},
        {"created_at": None},
        {"username": {"$regex": CAPITALS}},
    ],
}
_NAMED: Document = {
    MERGED_INTO: {"$ne": None},
    "deleted_at": {"$ne": None},
    "$or": [{name: {"$type": "string", "$not": {"$regex": f"^{_FREED}"}}} for name in _NAMES],
}


def up(work: Work) -> None:
    """Add what is missing, and write names as the app looks them up."""
    if not is_collection(work.database, "users"):
        return
    users = work.database["users"]
    total, done = users.estimated_document_count(), 0
    for changes in in_batches(_changes(work.database), AT_ONCE):
        work.ensure_held()
        updates = [_update(user, values) for user, values in changes]
        # In this order: a name has to be free before another user gets it.
        users.bulk_write(updates, bypass_document_validation=True)
        done += len(updates)
        work.progress("users", done, max(done, total))


def down(work: Work) -> None:
    """Restore each field, unless it was written to since.

    Raises:
        ValueTaken: The name or address of a merged user is that of its person under a unique index.
    """
    noted = {f"{UNDO}.{_KEY}": {"$exists": True}}
    try:
        work.update("users", noted, [*restore_from_undo(_KEY, _FIELDS), *forget(_KEY)])
    except DuplicateKeyError as error:
        raise ValueTaken(
            "A merged user would have the e-mail or name of its person again, which a unique index "
            "of users does not allow; drop that index, then run this again."
        ) from error


def check(database: Database[Document]) -> Check:
    """Count by field what is missing and what was added, and list names that stay."""
    if not is_collection(database, "users"):
        return Check()
    remaining = Counter(name for _, values in _changes(database) for name in values)
    noted = {name: {f"{UNDO}.{_KEY}.{name}": {"$exists": True}} for name in _FIELDS}
    return Check(
        remaining={f"users.{name}": remaining[name] for name in _FIELDS},
        changed={
            f"users.{name}": database["users"].count_documents({**query, **NOT_DOUBLED})
            for name, query in noted.items()
        },
        unresolved=(
            *_alike(database),
            *left_odd(database, "users", {"$or": [_NAMED, _INCOMPLETE]}),
        ),
    )


def _changes(database: Database[Document]) -> Iterator[tuple[Document, Document]]:
    """Find the users that need a change, each with the new values."""
    taken = {*users_alike(database, "username")}
    fields = dict.fromkeys((*_FIELDS, "updated_at", "deleted_at", MERGED_INTO), True)
    users = database["users"]
    found = ({**query, "$expr": WRITABLE} for query in (_NAMED, _INCOMPLETE))
    for user in chain.from_iterable(users.find(query, fields) for query in found):
        values = _freed(user) if is_merged(user) else _completed(user, taken)
        if values:
            yield user, values


def _freed(user: Document) -> Document:
    return {
        name: f"{_FREED}{user['_id']}:{user[name]}"
        for name in _NAMES
        if isinstance(user.get(name), str)
        and not user[name].startswith(_FREED)
        and BROKEN_TEXT not in user[name]
    }


def _completed(user: Document, taken: set[str]) -> Document:
    values: Document = {}
    name = user.get("username")
    readable = name if isinstance(name, str) and BROKEN_TEXT not in name else ""
    if readable.lower() not in {readable, *taken}:
        values["username"] = readable.lower()
    if user.get("api_keys") is None:
        values["api_keys"] = no_api_keys()
    if "is_active" not in user:
        values["is_active"] = True
    if user.get("created_at") is None:
        values["created_at"] = _creation_of(user)
    return values


def _creation_of(user: Document) -> datetime:
    """Find the latest time at which a user was created; that of this repair where none is known."""
    if isinstance(user["_id"], ObjectId):
        return user["_id"].generation_time
    updated = user.get("updated_at")
    return updated if isinstance(updated, datetime) else datetime.now(UTC)


def _update(user: Document, values: Document) -> UpdateOne:
    # What the app wrote since the user was read stays; the next pass reads it again.
    as_read = {"_id": user["_id"], **{name: user.get(name) for name in values}}
    constants = {name: {"$literal": value} for name, value in values.items()}
    return UpdateOne(as_read, set_with_undo(_KEY, constants))


def _alike(database: Database[Document]) -> tuple[Unresolved, ...]:
    found = [user for group in users_alike(database, "username").values() for user in group]
    if not found:
        return ()
    what = "User names that differ from another's in case only; rename all except one of each"
    return (left_to_a_person(what, len(found), found),)


CHANGES = {"users": _FIELDS}
