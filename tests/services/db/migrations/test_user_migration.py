"""Two tables of users become a single table, and two again when the migration is undone."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Int64

from db.errors import ValueTaken
from tests.support.db.database_state import Data
from tests.support.db.fixtures import empty_database
from tests.support.db.migrating import (
    UNDO,
    assert_reversible,
    by_id,
    go_down,
    go_up,
    raw_documents,
    unresolved,
    up_and_down,
    without_now,
)

Document = dict[str, Any]
OLD, NEW = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
AS_REGISTERED: Document = {
    "api_keys": {"runpod": None, "openai": None, "civitai": None},
    "is_active": True,
}
POINTING = ("images", "faceswap_tasks", "facefusion_presets")

CASED = "Users whose e-mail differs from another's in case only"
CLASH = "Users with the name of another person"
SEVERAL = "Users of whom several have one e-mail"
NUMBERED = "Users whose person has another legacy_id already"
NAMELESS = "Users without e-mail, who cannot be matched"


def story(number: object = "u-1", **fields: Any) -> Document:
    """Make a user of StoryCanvas."""
    usual = {"username": "mira", "email": "mira@x.org", "hashed_password": "story"}
    return {"_id": f"story {number}", "id": number, **usual, "created_at": NEW} | fields


def couple(number: object = 7, **fields: Any) -> Document:
    """Make a user of the couple face-swap."""
    usual = {"username": "mira-7", "email": "mira@x.org", "password_hash": "couple"}
    return {"_id": f"couple {number}", "id": number, **usual, "created_at": OLD, "last": 1} | fields


def add(database: Data, *users: Document) -> None:
    """Store users, and what belongs to each of them."""
    database["users"].insert_many(users)
    for name in POINTING:
        database[name].insert_many(
            [{"_id": user["_id"], "user_id": user.get("id"), "last": 1} for user in users]
        )


def users(database: Data) -> dict[Any, Document]:
    return {user["_id"]: user for user in database["users"].find()}


def owners(database: Data, owned: str) -> set[Any]:
    """Who owns now what belonged to a user, in all collections."""
    found = [database[name].find_one({"_id": owned}) or {} for name in POINTING]
    return {user["user_id"] for user in found}


def make_unique(database: Data, *fields: str) -> None:
    for field in fields:
        database["users"].create_index(field, unique=True, sparse=field == "legacy_id")


@pytest.mark.parametrize("email", ["mira@x.org", "MIRA@x.org", "\u00e9va@x.org"])
def test_the_same_e_mail_is_the_same_person(database: Data, email: str) -> None:
    add(database, story(email=email), couple(email=email))

    go_up(database, 4)

    found = users(database)
    assert found["story u-1"]["legacy_id"] == 7
    assert "deleted_at" not in found["story u-1"]
    assert found["couple 7"]["deleted_by"] == "migration 4"
    assert found["couple 7"]["merged_into"] == "u-1"


def test_a_person_keeps_all_fields_and_gets_what_the_merged_user_owned(database: Data) -> None:
    merged = couple(is_admin=False, more=1)
    add(database, story(is_admin=True), merged)

    go_up(database, 4)

    person = by_id(database, "users")["u-1"]
    assert person == {**story(is_admin=True), "legacy_id": 7, "created_at": OLD}
    assert users(database)["couple 7"].items() >= merged.items()
    assert owners(database, "couple 7") == owners(database, "story u-1") == {"u-1"}


CREATED: dict[str, tuple[Any, Any, Any]] = {
    "the couple's is earlier": (NEW, OLD, OLD),
    "StoryCanvas's is earlier": (OLD, NEW, OLD),
    "the couple has none": (NEW, None, NEW),
    "StoryCanvas has none": (None, NEW, NEW),
    "both have none": (None, None, None),
    "texts": ("2026-01-01T00:00:00Z", "2025-01-01", "2025-01-01"),
    "texts of two zones": (
        "2026-01-01T00:30:00+02:00",
        "2026-01-01T00:00:00",
        "2026-01-01T00:30:00+02:00",
    ),
    "a text and a date": (NEW, "2025-01-01T00:00:00", "2025-01-01T00:00:00"),
    "a text that is not a time": (NEW, "yesterday", NEW),
}


@pytest.mark.parametrize(("of_story", "of_couple", "expected"), CREATED.values(), ids=CREATED)
def test_the_earliest_creation_counts(
    database: Data, of_story: object, of_couple: object, expected: object
) -> None:
    add(database, story(created_at=of_story), couple(created_at=of_couple))

    go_up(database, 4)

    assert by_id(database, "users")["u-1"]["created_at"] == expected


@pytest.mark.parametrize("number", [7, Int64(7), 7.0], ids=["int", "long", "double"])
def test_a_user_of_the_couple_face_swap_alone_gets_the_fields_of_the_app(
    database: Data, number: float
) -> None:
    add(database, couple(number, email="Mira@X.org", username="Mira-7"))

    go_up(database, 4)

    [found] = users(database).values()
    found.pop(UNDO)
    assert isinstance(found["id"], str)
    expected = {**couple(number), "id": found["id"], "legacy_id": 7}
    del expected["password_hash"]
    assert found == {**expected, "hashed_password": "couple", **AS_REGISTERED}
    assert owners(database, f"couple {number}") == {found["id"]}


def test_a_missing_id_is_made_and_a_text_id_is_kept(database: Data) -> None:
    lone = [couple(None, _id=n, email=f"{n}@x.org", username=f"u-{n}") for n in range(2)]
    database["users"].insert_many([*lone, couple("c-1")])

    go_up(database, 4)

    found = by_id(database, "users")
    assert len(found) == 3
    assert found["c-1"]["hashed_password"] == "couple"  # noqa: S105 - what was stored


LEFT: dict[str, tuple[list[Document], dict[str, tuple[str, ...]]]] = {
    "a user of StoryCanvas": ([story()], {}),
    "a user of StoryCanvas in capitals": ([story(email="Mira@X.org")], {}),
    "a deleted user": ([couple(deleted_at=NEW)], {}),
    "the name of another person": (
        [story(), couple(email="other@x.org", username="mira")],
        {CLASH: ("7",)},
    ),
    "an e-mail of another person in capitals": (
        [story(), couple(email="Mira@X.ORG")],
        {CASED: ("7",)},
    ),
    "an e-mail of another person that is not ASCII, in capitals": (
        [story(email="\u00c9va@x.org"), couple(email="\u00e9va@x.org")],
        {CASED: ("7",)},
    ),
    "the name of a deleted person": (
        [story(deleted_at=NEW), couple(email="other@x.org", username="Mira")],
        {CLASH: ("7",)},
    ),
    "the name of another person in capitals": (
        [story(username="\u00e9va"), couple(email="other@x.org", username="\u00c9VA")],
        {CLASH: ("7",)},
    ),
    "two couple face-swap users with the same name": (
        [couple(7, email="a@x.org"), couple(8, email="b@x.org", username="MIRA-7")],
        {CLASH: ("7", "8")},
    ),
    "two StoryCanvas users with the same e-mail": (
        [story("u-1"), story("u-2", username="x", email="MIRA@x.org"), couple()],
        {SEVERAL: ("7",)},
    ),
    "two couple face-swap users with the same e-mail": (
        [couple(7), couple(8, username="x", email="Mira@x.org")],
        {SEVERAL: ("7",)},
    ),
    "another number": ([story(legacy_id=99), couple()], {NUMBERED: ("7",)}),
    "no e-mail": ([couple(7, email=None), couple(8, email=5)], {NAMELESS: ("7", "8")}),
}


@pytest.mark.parametrize(("stored", "listed"), LEFT.values(), ids=LEFT)
def test_undecidable_users_are_listed_and_left(
    database: Data, stored: list[Document], listed: dict[str, tuple[str, ...]]
) -> None:
    add(database, *stored)
    before = raw_documents(database)

    go_up(database, 4)

    assert unresolved(database, 4) == listed
    assert raw_documents(database) == before


def test_e_mails_that_only_look_the_same_are_two_persons(database: Data) -> None:
    add(database, story(email="stra\u00dfe@x.org"), couple(email="strasse@x.org"))

    go_up(database, 4)

    assert "merged_into" not in users(database)["couple 7"]


@pytest.mark.parametrize(
    ("of_story", "of_couple"), [("user2x", "user\u00b2x"), ("bobby", "bobby\u200b")]
)
def test_names_that_the_app_compares_as_two_are_two(
    database: Data, of_story: str, of_couple: str
) -> None:
    add(database, story(username=of_story), couple(email="o@x.org", username=of_couple.upper()))

    go_up(database, 4)

    assert unresolved(database, 4) == {}
    assert users(database)["couple 7"]["username"] == of_couple


@pytest.mark.parametrize(
    "kept", [{"is_active": False}, {"api_keys": {"openai": "x"}}, {"is_active": None}]
)
def test_what_a_renamed_user_has_already_stays(database: Data, kept: Document) -> None:
    add(database, couple(**kept))

    go_up(database, 4)

    found = users(database)["couple 7"]
    assert {name: found[name] for name in AS_REGISTERED} == {**AS_REGISTERED, **kept}


def test_what_an_earlier_release_renamed_is_restored(any_database: Data) -> None:
    add(any_database, couple(email="Mira@x.org"))
    before = raw_documents(any_database)
    go_up(any_database, 4)
    # It neither wrote these fields nor noted them.
    notes = {f"{UNDO}.m0004.{name}": True for name in ("username", *AS_REGISTERED)}
    any_database["users"].update_one({}, {"$unset": {**AS_REGISTERED, **notes}})

    go_down(any_database, 4)

    assert raw_documents(any_database) == before


def test_a_user_that_has_the_number_already_is_merged(database: Data) -> None:
    add(database, story(legacy_id=7), couple())

    go_up(database, 4)

    assert users(database)["couple 7"]["merged_into"] == "u-1"
    assert unresolved(database, 4) == {}


WORLD = [
    story(),
    couple(7),
    couple(8, email="Lone@x.org", username="Lone", legacy_id=8),
    {"password_hash": "p", **couple(9, email="nine@x.org", username="nine")},
    couple("c-1", email="text@x.org", username="text", **{"$odd": {"a.b": 1}, "dotted.name": 2}),
    couple(10, email="other@x.org", username="MIRA"),
    story("u-2", username="ada", email="ada@x.org", legacy_id=12),
    couple(12, email="ada@x.org", username="ada-12"),
]


@pytest.mark.parametrize("unique", [[], ["id", "username", "legacy_id"]])
def test_a_second_run_changes_nothing_and_undoing_gives_the_same_bytes_and_owners(
    database: Data, unique: list[str]
) -> None:
    make_unique(database, *unique)
    add(database, *WORLD)

    assert_reversible(database, 4)


def test_a_number_moves_to_the_person_and_back_under_a_unique_index(database: Data) -> None:
    make_unique(database, "legacy_id")
    add(database, story(), couple(legacy_id=7))

    assert_reversible(database, 4)
    go_up(database, 4)
    assert users(database)["story u-1"]["legacy_id"] == 7


def test_the_report_counts_the_changed_documents(database: Data) -> None:
    add(database, story(), couple())

    counts = go_up(database, 4).counts

    assert counts == {"users.m0004": 2, **{f"{name}.m0004": 1 for name in POINTING}}


def test_values_written_since_stay(database: Data) -> None:
    add(database, story(), couple())
    written = {"$set": {"hashed_password": "new", "created_at": datetime(2020, 1, 1, tzinfo=UTC)}}
    given = {"$set": {"user_id": "u-9"}}

    def write() -> None:
        database["users"].update_one({"id": "u-1"}, written)
        database["images"].update_one({"_id": "couple 7"}, given)

    up_and_down(database, 4, write)

    assert by_id(database, "users") == {"u-1": story() | written["$set"], 7: couple()}
    assert database["images"].find_one({"_id": "couple 7"}) == {
        "_id": "couple 7",
        "user_id": "u-9",
        "last": 1,
    }


def test_undoing_is_refused_when_the_e_mail_has_to_be_unique_by_now(database: Data) -> None:
    add(database, story(), couple())
    go_up(database, 4)
    database["users"].create_index(
        "email", unique=True, partialFilterExpression={"deleted_at": None}
    )
    before = raw_documents(database)

    with pytest.raises(ValueTaken, match=r"^Two users would have one e-mail or name again"):
        go_down(database, 4)

    assert raw_documents(database) == before


# What a kill leaves: documents of users, and what belongs to them, as they were before, as they
# are after, or in between, when the user that was merged is not marked as deleted.
HALVES: dict[str, dict[str, str]] = {
    "up, one write": {"couple 7": "unmarked"},
    "up, two writes": {"couple 7": "unmarked", "story u-1": "after"},
    "up, half of the owners": {"couple 7": "unmarked", "story u-1": "after", "images": "after"},
    "up, all but the mark": {
        "couple 7": "unmarked",
        "story u-1": "after",
        **dict.fromkeys(POINTING, "after"),
    },
    "up, owners of a renamed user": {"images": "after"},
    "down, the person": {
        "couple 7": "unmarked",
        "couple 8": "after",
        **dict.fromkeys(POINTING, "after"),
    },
    "down, all users": dict.fromkeys(POINTING, "after"),
    "down, half of the owners": dict.fromkeys(POINTING[1:], "after"),
}


def put(database: Data, half: dict[str, str], before: Data, after: Data) -> None:
    """Bring a database to the state between two others that a kill leaves."""
    for user in ["story u-1", "couple 7", "couple 8"]:
        source = before if half.get(user, "before") == "before" else after
        found = users(source)[user]
        if half.get(user) == "unmarked":
            for name in ("deleted_at", "deleted_by"):
                del found[name], found[UNDO]["m0004"][name]
        database["users"].replace_one({"_id": user}, found)
    for name in POINTING:
        source = before if half.get(name, "before") == "before" else after
        for document in source[name].find():
            database[name].replace_one({"_id": document["_id"]}, document)


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
def test_the_next_run_completes_or_undoes_what_a_kill_left(
    standalone_server: Data, database: Data, half: dict[str, str]
) -> None:
    people = [story(), couple(), couple(8, email="Lone@x.org", username="lone")]
    with empty_database(standalone_server) as before, empty_database(standalone_server) as after:
        for state in (database, before, after):
            add(state, *people)
        for state in (database, after):
            go_up(state, 4)
        put(database, half, before, after)
        start, end = raw_documents(before), without_now(raw_documents(after))
        assert raw_documents(database) not in (start, end)

        go_up(database, 4)

        assert without_now(raw_documents(database)) == end
        put(database, half, before, after)
        go_down(database, 4)
        assert raw_documents(database) == start


def test_an_id_that_is_not_a_number_takes_no_pictures_of_others(database: Data) -> None:
    add(database, couple({"$ne": None}), couple(8, email="other@x.org", username="other"))
    database["images"].insert_one({"_id": "hers", "user_id": "u-9"})
    before = raw_documents(database)

    go_up(database, 4)

    assert database["images"].find_one({"_id": "hers"}) == {"_id": "hers", "user_id": "u-9"}
    go_down(database, 4)
    assert raw_documents(database) == before


def test_a_number_that_no_table_can_hold_is_not_a_legacy_id(database: Data) -> None:
    add(database, couple(1e300), couple(8, email="other@x.org", username="other"))

    go_up(database, 4)

    assert "legacy_id" not in users(database)["couple 1e+300"]
    assert users(database)["couple 8"]["legacy_id"] == 8
