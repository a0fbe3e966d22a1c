"""Users of StoryCanvas and of the couple face-swap become one table.

One e-mail is one person (docs/schema.md, Users): the StoryCanvas user stays, takes the other's
number as `legacy_id` and the earlier `created_at`, and the other user is marked as deleted. Where
that cannot be decided, both stay as they are and are listed: so do addresses that differ in case
only, since only a person knows whose account it is.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.connection import Document
from db.errors import ValueTaken
from db.migrations.engine import odd
from db.migrations.engine.check import Check, Unresolved, left_odd, left_to_a_person
from db.migrations.engine.expressions import MISSING
from db.migrations.engine.fields import forget, in_noted_order, restore_from_undo, set_with_undo
from db.migrations.engine.odd import UNDO
from db.migrations.engine.work import Work
from db.schema.documents.couple_swap import no_api_keys
from db.schema.indexes import WITHOUT_CASE
from db.users import MERGED_INTO

FORMER_CHECKSUMS = (
    "cc1cf594ae804623fd500c18afbca2dd3ac45f60aa24050b8af9c7aaeaae962e",
    "4e32b750a05e3031dec18b47892445b1f25332216cf49b0939991983016f7cef",
    "e84a3bfe557c8e2626a22635c69f2307b61c5a897a0a88fd6db79262d73bc4a6",
)
"""Of this file before its words were renamed, and before it left addresses that differ in case to a
person and wrote what the app reads; `down` undoes what those did, too, and migration 7 adds it."""

_KEY = "m0004"
_NAMES = UUID("3d0f6c0e-6a0f-5f0e-9d57-6f3b1f6f2a10")
_LARGEST_SERIAL = 2**53
"""Up to here a double and a whole number are the same."""
_NOTED: Document = {f"{UNDO}.{_KEY}": {"$exists": True}}
_FIELDS = (
    "id",
    "legacy_id",
    "email",
    "username",
    "hashed_password",
    "password_hash",
    "api_keys",
    "is_active",
    "created_at",
    MERGED_INTO,
    "deleted_at",
    "deleted_by",
)
_ODD = "odd"
_POINTING = ("images", "faceswap_tasks", "facefusion_presets")
_IS_COUPLE = {
    "$or": [
        {"$isNumber": "$id"},
        {
            "$and": [
                {"$eq": [{"$type": "$password_hash"}, "string"]},
                {"$ne": [{"$type": "$hashed_password"}, "string"]},
            ]
        },
    ]
}


@dataclass(frozen=True)
class _Plan:
    """Which users are to be merged, which only read as the app does, and which are left."""

    pairs: tuple[tuple[Document, Document], ...]
    alone: tuple[Document, ...]
    left: tuple[Unresolved, ...]


def up(work: Work) -> None:
    """Merge users who are the same person, and give the others the app's fields."""
    if not odd.is_collection(work.database, "users"):
        return
    plan = _plan(work.database)
    done, total = 0, len(plan.pairs) + len(plan.alone)
    for other, user in plan.pairs:
        work.ensure_held()
        _merge(work.database, other, user)
        done += 1
        work.progress("users", done, total)
    for user in plan.alone:
        work.ensure_held()
        _rename(work.database, user)
        done += 1
        work.progress("users", done, total)


def down(work: Work) -> None:
    """Restore every user, and the old id in what belongs to it."""
    marks = ["deleted_at", "deleted_by"]
    unmark = [
        *restore_from_undo(_KEY, marks),
        {"$unset": [f"{UNDO}.{_KEY}.{mark}" for mark in marks]},
    ]
    back = [*restore_from_undo(_KEY, _FIELDS), *in_noted_order(_KEY), *forget(_KEY)]
    merged = f"{UNDO}.{_KEY}.{MERGED_INTO}"
    try:
        # After a kill, `up` has to find again what is half undone: so the marks go first, and what
        # belongs to users comes last. A number goes back to its user once no other user has it.
        work.update("users", {merged: {"$exists": True}}, unmark)
        work.update("users", {**_NOTED, merged: {"$exists": False}}, back)
        work.update("users", {merged: {"$exists": True}}, back)
    except DuplicateKeyError as error:
        raise ValueTaken(
            "Two users would have one e-mail or name again, which a unique index of users does not "
            "allow; drop that index, then run this again."
        ) from error
    for name in _POINTING:
        work.update(name, _NOTED, [*restore_from_undo(_KEY, ["user_id"]), *forget(_KEY)])


def check(database: Database[Document]) -> Check:
    """Count who is to be merged or renamed, and who was, and list who is left to a person."""
    if not odd.is_collection(database, "users"):
        return Check()
    plan = _plan(database)
    left: tuple[Unresolved, ...] = ()
    for name in odd.collections_among(database, _POINTING):
        left += left_odd(database, name, {"user_id": {"$type": "number"}})
    return Check(
        remaining={"users.merged": len(plan.pairs), "users.renamed": len(plan.alone)},
        changed={
            f"{name}.{_KEY}": database[name].count_documents({"$and": [_NOTED, odd.NOT_DOUBLED]})
            for name in odd.collections_among(database, ("users", *_POINTING))
        },
        unresolved=(*plan.left, *left),
    )


def _merge(database: Database[Document], other: Document, user: Document) -> None:
    """Merge two users; the mark of deletion comes last, so that a kill leaves them to be found."""
    # Only one of them may have the number at a time.
    _set(database, other, {MERGED_INTO: user["id"], "legacy_id": MISSING})
    values = _numbered(other)
    if _is_earlier(other.get("created_at"), user.get("created_at")):
        values["created_at"] = other["created_at"]
    _set(database, user, values)
    _repoint(database, other.get("id"), user["id"])
    _set(database, other, {"deleted_at": datetime.now(UTC), "deleted_by": "migration 4"})


def _rename(database: Database[Document], user: Document) -> None:
    values: Document = {"email": user["email"].lower(), **_as_registered(user)}
    if isinstance(user.get("password_hash"), str):
        values |= {"hashed_password": user["password_hash"], "password_hash": MISSING}
    if not isinstance(user.get("id"), str):
        known = user["_id"] if user.get("id") is None else user["id"]
        new_id = str(uuid5(_NAMES, f"users/{known}"))
        _repoint(database, user.get("id"), new_id)
        values |= {"id": new_id, **_numbered(user)}
    _set(database, user, values)


def _as_registered(user: Document) -> Document:
    """Build what the app's registration would have written and the user lacks."""
    values: Document = {}
    if isinstance(user.get("username"), str):
        values["username"] = user["username"].lower()
    if user.get("api_keys") is None:
        values["api_keys"] = no_api_keys()
    if "is_active" not in user:
        values["is_active"] = True
    return values


def _set(database: Database[Document], user: Document, values: Document) -> None:
    constants = {
        name: value if value == MISSING else {"$literal": value} for name, value in values.items()
    }
    database["users"].update_one(
        {"_id": user["_id"]}, set_with_undo(_KEY, constants), bypass_document_validation=True
    )


def _repoint(database: Database[Document], old: object, new: str) -> None:
    """Set the new id of a user in everything that belongs to it."""
    if isinstance(old, bool) or not isinstance(old, int | float | str):
        return
    changeable = {"user_id": {"$eq": old}, "$expr": odd.WRITABLE}
    for name in odd.collections_among(database, _POINTING):
        database[name].update_many(
            changeable,
            set_with_undo(_KEY, {"user_id": {"$literal": new}}),
            bypass_document_validation=True,
        )


def _plan(database: Database[Document]) -> _Plan:
    pairs, alone, several, cased, numbered, strange = [], [], [], [], [], []
    for couple, story in _by_email(database):
        if any(map(_is_odd, (*couple, *story))):
            strange.append(couple[0])
        elif len(couple) > 1 or len(story) > 1:
            several.append(couple[0])
        elif not story:
            alone.append(couple[0])
        elif couple[0]["email"] != story[0]["email"]:
            cased.append(couple[0])
        elif _can_take(story[0], _numbered(couple[0])):
            pairs.append((couple[0], story[0]))
        else:
            numbered.append(couple[0])
    taken = _taken_names(database, {_name(user) for user in alone})
    clashes = [user for user in alone if _name(user) in taken]
    kept = [user for user in alone if _name(user) not in taken]
    left = {
        "Users with the name of another person; rename one of them": clashes,
        "Users of whom several have one e-mail; change all but one of them": several,
        "Users whose e-mail differs from another's in case only; write it alike if they are one "
        "person": cased,
        "Users whose person has another legacy_id already; correct one of them": numbered,
        "Users whose document cannot be changed: too large, with the same field twice, or with an "
        "address or name that is not UTF-8; correct them": strange,
        "Users without e-mail, who cannot be matched": _nameless(database),
    }
    listed = (left_to_a_person(what, len(users), users) for what, users in left.items() if users)
    return _Plan(tuple(pairs), tuple(kept), tuple(listed))


def _by_email(database: Database[Document]) -> Iterator[tuple[list[Document], list[Document]]]:
    """Group the users of each e-mail that a user of the couple face-swap has."""
    names = dict.fromkeys((*_FIELDS, UNDO), 1)
    pipeline: list[Document] = [
        {"$match": {"deleted_at": None, "email": {"$type": "string"}}},
        {"$project": {**names, "couple": _IS_COUPLE, _ODD: {"$not": [odd.WRITABLE]}}},
        {"$sort": {"_id": 1}},
        {"$group": {"_id": "$email", "users": {"$push": "$$ROOT"}}},
        {"$match": {"users.couple": True}},
        {"$sort": {"_id": 1}},
    ]
    found = database["users"].aggregate(pipeline, allowDiskUse=True, collation={**WITHOUT_CASE})
    for group in found:
        # The collation takes some letters for the same that are not, such as a sharp s.
        same: defaultdict[str, tuple[list[Document], list[Document]]] = defaultdict(
            lambda: ([], [])
        )
        for user in group["users"]:
            same[user["email"].lower()][0 if user["couple"] else 1].append(user)
        yield from (users for users in same.values() if users[0])


def _taken_names(database: Database[Document], names: set[str]) -> set[str]:
    """Find those of some names that several users have once the app has lowered them.

    Deleted users count, since the app finds them, too.
    """
    pipeline: list[Document] = [
        {"$match": {MERGED_INTO: None, "username": {"$type": "string"}}},
        {"$group": {"_id": "$username", "names": {"$push": "$username"}}},
        {"$match": {"names.1": {"$exists": True}}},
    ]
    found = database["users"].aggregate(pipeline, allowDiskUse=True, collation={**WITHOUT_CASE})
    # The collation takes more for the same than the app does, such as a superscript two and a 2.
    counted = (Counter(name.lower() for name in group["names"]) for group in found)
    return {name for group in counted for name, count in group.items() if count > 1} & names


def _is_odd(user: Document) -> bool:
    texts = (str(user.get(name, "")) for name in ("email", "username"))
    return bool(user[_ODD]) or any(odd.BROKEN_TEXT in text for text in texts)


def _nameless(database: Database[Document]) -> list[Document]:
    without = {"deleted_at": None, "email": {"$not": {"$type": "string"}}, "$expr": _IS_COUPLE}
    return list(database["users"].find(without, {"id": True, "username": True}))


def _name(user: Document) -> str:
    return str(user.get("username", "")).lower()


def _numbered(user: Document) -> dict[str, Any]:
    """Find the number that a user of the couple face-swap has, or had before a kill."""
    noted = user.get(UNDO, {}).get(_KEY, {}).get("legacy_id", {}).get("was", [])
    found = (*noted, user.get("legacy_id"), user.get("id"))
    numbers = [number for number in found if _is_serial(number)]
    return {"legacy_id": int(numbers[0])} if numbers else {}


def _is_serial(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value % 1 == 0 and abs(value) <= _LARGEST_SERIAL


def _can_take(user: Document, number: dict[str, Any]) -> bool:
    own = user.get("legacy_id")
    return isinstance(user.get("id"), str) and (own is None or number == {"legacy_id": own})


def _is_earlier(value: object, other: object) -> bool:
    first, second = _moment(value), _moment(other)
    return first is not None and (second is None or first < second)


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


CHANGES = {"users": _FIELDS, **dict.fromkeys(_POINTING, ("user_id",))}
