"""Users that earlier releases wrote become users that the app can read and find."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from db.errors import ValueTaken
from tests.support.db.database_state import Data
from tests.support.db.migrating import (
    UNDO,
    Document,
    assert_reversible,
    by_id,
    go_down,
    go_up,
    migrator,
    raw_documents,
    unresolved,
    without_notes,
)

THEN = datetime(2026, 1, 2, tzinfo=UTC)
KEYS = {"runpod": None, "openai": None, "civitai": None}
ALIKE = "User names that differ from another's in case only"


def registered(**fields: Any) -> Document:
    """Make a user as the app's registration writes it."""
    user = {"_id": "u", "id": "u-1", "email": "mira@x.org", "username": "mira"}
    return {**user, "hashed_password": "x", "api_keys": KEYS, "is_active": True} | {
        "created_at": THEN,
        "updated_at": THEN,
        **fields,
    }


def without(user: Document, *names: str) -> Document:
    return {name: value for name, value in user.items() if name not in names}


def the_user(database: Data) -> Document:
    [found] = database["users"].find()
    return without_notes(found)


REPAIRED: dict[str, Document] = {
    "imported": registered(api_keys=None, username="Mira", is_admin=False, legacy_id=7),
    "renamed by migration 4": without(registered(), "api_keys", "is_active"),
    "a name that is not ASCII": registered(username="\u00c9va"),
    "a name with a Roman numeral": registered(username="mira\u2167"),
}


@pytest.mark.parametrize("stored", REPAIRED.values(), ids=REPAIRED)
def test_a_user_gets_what_the_registration_of_the_app_writes(
    any_database: Data, stored: Document
) -> None:
    any_database["users"].insert_one(stored)

    go_up(any_database, 7)

    name = stored["username"].lower()
    assert the_user(any_database) == {
        **stored,
        "api_keys": KEYS,
        "is_active": True,
        "username": name,
    }


RIGHT: dict[str, Document] = {
    "registered": registered(),
    "with keys": registered(api_keys={"openai": "secret"}),
    "with no keys at all": registered(api_keys={}),
    "not active": registered(is_active=False),
    "whose activity is null": registered(is_active=None),
    "a user of the couple face-swap": without(registered(id=7), "api_keys"),
    "a name of digits above": registered(username="user\u00b2x"),
}


@pytest.mark.parametrize("stored", RIGHT.values(), ids=RIGHT)
def test_other_users_stay(database: Data, stored: Document) -> None:
    database["users"].insert_one(stored)
    before = raw_documents(database)

    go_up(database, 7)

    assert raw_documents(database) == before


MADE = ObjectId.from_datetime(THEN)
CREATED: dict[str, tuple[Document, datetime]] = {
    "by its _id": ({"_id": MADE, "updated_at": THEN + timedelta(days=1)}, THEN),
    "by its last change": ({"updated_at": THEN}, THEN),
}


@pytest.mark.parametrize(("fields", "created_at"), CREATED.values(), ids=CREATED)
@pytest.mark.parametrize("missing", [True, False], ids=["missing", "null"])
def test_a_time_of_creation_is_found(
    database: Data, fields: Document, created_at: datetime, missing: bool
) -> None:
    user = registered(created_at=None, **fields)
    database["users"].insert_one(without(user, "created_at") if missing else user)

    go_up(database, 7)

    assert the_user(database)["created_at"] == created_at


def test_a_user_of_unknown_age_is_as_old_as_the_repair(database: Data) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    database["users"].insert_one(registered(created_at=None, updated_at=None))

    go_up(database, 7)

    assert began <= the_user(database)["created_at"] <= datetime.now(UTC)


def test_names_that_differ_in_case_only_stay_and_are_listed(database: Data) -> None:
    names = ["mira", "Mira", "BOB", "Bob", "user2x", "USER\u00b2X", "bobby", "Bobby\u200b"]
    database["users"].insert_many(
        [registered(_id=n, id=f"u-{n}", username=name) for n, name in enumerate(names)]
    )

    go_up(database, 7)

    found = [user["username"] for user in database["users"].find().sort("_id")]
    assert found == [*names[:5], "user\u00b2x", "bobby", "bobby\u200b"]
    [(what, listed)] = unresolved(database, 7).items()
    assert (what, sorted(listed)) == (ALIKE, ["u-0", "u-1", "u-2", "u-3"])


PERSON = registered()
MERGED: Document = {"_id": "c", "id": 7, "email": "mira@x.org", "username": "mira"}
MERGED |= {"password_hash": "y", "merged_into": "u-1", "deleted_at": THEN}


def test_a_merged_user_gives_its_name_and_address_free(any_database: Data) -> None:
    any_database["users"].insert_many([MERGED, PERSON])

    go_up(any_database, 7)

    freed = {"email": "merged:c:mira@x.org", "username": "merged:c:mira"}
    assert by_id(any_database, "users") == {7: MERGED | freed, "u-1": PERSON}
    for name in freed:
        any_database["users"].create_index(name, unique=True)
    before = raw_documents(any_database)
    with pytest.raises(ValueTaken, match=r"^A merged user would have the e-mail or name"):
        go_down(any_database, 7)
    assert raw_documents(any_database) == before


def test_a_name_that_a_merged_user_gives_free_can_be_taken(database: Data) -> None:
    database["users"].create_index("username", unique=True)
    other = registered(_id="a", id="u-2", username="MIRA")
    database["users"].insert_many([other, MERGED])

    go_up(database, 7)

    assert by_id(database, "users")["u-2"] == {**other, "username": "mira"}


def test_a_second_run_changes_nothing_and_undoing_gives_the_same_bytes(database: Data) -> None:
    users = [*REPAIRED.values(), *RIGHT.values(), MERGED]
    database["users"].insert_many([{**user, "_id": n} for n, user in enumerate(users)])

    assert_reversible(database, 7)


def test_what_the_app_writes_later_stays(database: Data) -> None:
    database["users"].insert_one(REPAIRED["imported"])
    go_up(database, 7)
    keys = {**KEYS, "openai": "secret"}
    database["users"].update_one({}, {"$set": {"api_keys": keys}})

    go_down(database, 7)

    assert the_user(database) == {**REPAIRED["imported"], "api_keys": keys}


def test_what_migration_4_renames_and_merges_can_be_read_and_is_restored(
    any_database: Data,
) -> None:
    lone = {"_id": "l", "id": 8, "email": "Lone@x.org", "username": "Lone", "password_hash": "z"}
    any_database["users"].insert_many(
        [PERSON, without(MERGED, "merged_into", "deleted_at"), {**lone, "created_at": THEN}]
    )
    before = raw_documents(any_database)
    runs = migrator(any_database, 4, 7)

    runs.apply("latest")

    found = {user["_id"]: user for user in any_database["users"].find()}
    assert all(isinstance(found["l"][name], str) for name in ("id", "hashed_password"))
    assert (found["l"]["api_keys"], found["l"]["is_active"]) == (KEYS, True)
    assert (found["l"]["email"], found["l"]["username"]) == ("lone@x.org", "lone")
    assert [*any_database["users"].find({"email": "mira@x.org"}, {"_id": True})] == [{"_id": "u"}]
    assert UNDO in found["c"]
    runs.apply("0")
    assert raw_documents(any_database) == before
