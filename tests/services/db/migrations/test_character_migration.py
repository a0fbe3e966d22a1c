"""The FaceFusion fields of a character, however broken they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bson
import pytest
from pymongo.database import Database

from db.schema.collections import COLLECTIONS
from db.schema.documents.characters import StoredCharacter
from db.setup.compare import validation
from tests.support.db.fixtures import empty_database
from tests.support.db.migrating import (
    UNDO,
    check,
    go_down,
    go_up,
    raw_documents,
    up_and_down,
    without_notes,
)
from tests.support.db.old_database import (
    BROKEN,
    EMPTY,
    ENTRY,
    FULL,
    GALLERY,
    HISTORY,
    SETTINGS,
    STRANGE_FIELDS,
    VALID,
    broken_characters,
    character,
    strange_characters,
)

Data = Database[dict[str, Any]]
RIGHT: dict[str, Any] = {HISTORY: [], SETTINGS: None, GALLERY: EMPTY}
FIRST = BROKEN["ages as pairs"][0]


@dataclass(frozen=True)
class Repair:
    """All broken and valid characters at four moments, by name."""

    before: dict[str, bytes]
    after: dict[str, bytes]
    again: dict[str, bytes]
    restored: dict[str, bytes]
    documents: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def repair(standalone_server: Data) -> Iterator[Repair]:
    with empty_database(standalone_server) as database:
        yield repair_twice(database)


def repair_twice(database: Data) -> Repair:
    """Repair the characters twice, then undo it."""
    database["characters"].insert_many(broken_characters())
    before = told(database)
    go_up(database, 1)
    after, documents = told(database), list(database["characters"].find())
    go_up(database, 1)
    again = told(database)
    go_down(database, 1)
    by_name = {document["_id"]: without_notes(document) for document in documents}
    return Repair(before, after, again, told(database), by_name)


def told(database: Data) -> dict[str, bytes]:
    names = [
        document["_id"] for document in database["characters"].find({}, {"_id": 1}).sort("_id")
    ]
    return dict(zip(names, raw_documents(database)["characters"], strict=True))


def pictures(value: object) -> set[str]:
    """Every address that stands as a value somewhere inside."""
    match value:
        case str() if value.endswith(".png"):
            return {value}
        case dict():
            return pictures([*value.values()])
        case list():
            return {picture for part in value for picture in pictures(part)}
    return set()


def add(database: Data, **fields: Any) -> bytes:
    database["characters"].insert_one(character("mira", **fields))
    return told(database)["mira"]


def change(database: Data, **update: Any) -> None:
    database["characters"].update_one({}, {f"${name}": value for name, value in update.items()})


def stored(database: Data) -> dict[str, Any]:
    found = database["characters"].find_one({"_id": "mira"})
    assert found
    return found


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_repaired(repair: Repair, name: str) -> None:
    expected = character(name, **RIGHT) | BROKEN[name][1]

    assert repair.documents[name] == expected


@pytest.mark.parametrize("name", BROKEN)
def test_ages_stand_in_the_expected_order(repair: Repair, name: str) -> None:
    expected = RIGHT | BROKEN[name][1]

    assert list(repair.documents[name][GALLERY]["age_variants"].items()) == list(
        expected[GALLERY]["age_variants"].items()
    )


@pytest.mark.parametrize("name", BROKEN)
def test_no_picture_leaves_the_gallery(repair: Repair, name: str) -> None:
    before = pictures(BROKEN[name][0].get(GALLERY))

    assert before <= pictures(repair.documents[name][GALLERY])


@pytest.mark.parametrize("name", [*BROKEN, *VALID])
def test_a_repaired_character_is_valid(repair: Repair, name: str) -> None:
    StoredCharacter.model_validate(repair.documents[name])


@pytest.mark.parametrize("name", VALID)
def test_a_valid_character_is_not_touched(repair: Repair, name: str) -> None:
    assert repair.after[name] == repair.before[name]


@pytest.mark.parametrize("name", [*BROKEN, *VALID])
def test_a_second_repair_changes_nothing(repair: Repair, name: str) -> None:
    assert repair.again[name] == repair.after[name]


@pytest.mark.parametrize("name", [*BROKEN, *VALID])
def test_undoing_gives_the_same_bytes(repair: Repair, name: str) -> None:
    assert repair.restored[name] == repair.before[name]


def test_both_ways_are_exact_on_every_server_and_for_every_kind_of_id(any_database: Data) -> None:
    any_database["characters"].insert_many([*broken_characters(), *strange_characters()])
    before = raw_documents(any_database)

    go_up(any_database, 1)

    assert check(any_database, 1).is_done
    go_down(any_database, 1)
    assert raw_documents(any_database) == before


def test_strange_fields_are_kept(database: Data) -> None:
    add(database, **STRANGE_FIELDS)

    go_up(database, 1)

    found = stored(database)
    assert bson.encode({name: found[name] for name in STRANGE_FIELDS}) == bson.encode(
        STRANGE_FIELDS
    )


def test_only_the_broken_fields_are_touched(database: Data) -> None:
    add(database, **{HISTORY: [ENTRY], GALLERY: None})

    go_up(database, 1)

    assert stored(database)[UNDO] == {"m0001": {SETTINGS: [], GALLERY: [None]}}


def test_it_tells_how_many_of_each_field_it_repaired(database: Data) -> None:
    database["characters"].insert_many(broken_characters())
    remaining = check(database, 1).remaining

    move = go_up(database, 1)

    assert move.counts == remaining
    assert remaining[f"characters.{GALLERY}"] > 30


def test_entries_that_the_app_has_written_since_stay(database: Data) -> None:
    add(database, **{HISTORY: None, GALLERY: {"custom_outputs": "a.png"}})

    up_and_down(database, 1, lambda: change(database, push={HISTORY: ENTRY}))

    found = stored(database)
    assert found[HISTORY] == [ENTRY]
    assert found[GALLERY] == {"custom_outputs": "a.png"}
    assert SETTINGS not in found
    assert UNDO not in found


def test_pictures_that_the_app_has_added_since_stay(database: Data) -> None:
    add(database, **FIRST)
    picture = {f"{GALLERY}.age_variants.65": "new.png"}

    up_and_down(database, 1, lambda: change(database, set=picture))

    assert stored(database)[GALLERY]["age_variants"]["65"] == "new.png"
    assert stored(database)[GALLERY]["age_variants"]["12"] == "a.png"


def test_settings_that_the_app_has_written_since_stay(database: Data) -> None:
    add(database)

    up_and_down(database, 1, lambda: change(database, set={SETTINGS: {"x": 1}}))

    assert stored(database)[SETTINGS] == {"x": 1}
    assert HISTORY not in stored(database)


@pytest.mark.parametrize(
    "broken_again",
    [
        {"set": {GALLERY: None}},
        {"set": {GALLERY: ["x.png"]}},
        {"unset": {GALLERY: True}},
        {"unset": dict.fromkeys(RIGHT, True)},
    ],
    ids=["null", "of another type", "missing", "all missing"],
)
@pytest.mark.parametrize("first", [{}, FIRST, {HISTORY: "x", SETTINGS: 1, GALLERY: 2}])
def test_what_breaks_again_is_repaired_again_and_the_first_original_is_kept(
    database: Data, first: dict[str, Any], broken_again: dict[str, Any]
) -> None:
    add(database, **first)
    go_up(database, 1)
    notes = stored(database)[UNDO]

    change(database, **broken_again)
    go_up(database, 1)

    assert check(database, 1).is_done
    assert stored(database)[UNDO] == notes


def test_a_field_that_was_filled_in_and_lost_since_is_counted_again(database: Data) -> None:
    database["characters"].insert_one({"_id": 1})
    go_up(database, 1)
    database["characters"].update_one({"_id": 1}, {"$unset": {SETTINGS: True}})

    assert check(database, 1).remaining[f"characters.{SETTINGS}"] == 1


def test_a_field_that_was_lost_and_filled_again_is_undone_to_the_first_original(
    database: Data,
) -> None:
    before = add(database, **{HISTORY: "x", SETTINGS: 1, GALLERY: 2})
    go_up(database, 1)
    change(database, unset=dict.fromkeys(RIGHT, True))
    go_up(database, 1)

    go_down(database, 1)

    restored = told(database)["mira"]
    assert sorted(restored) == sorted(before)
    assert stored(database)[HISTORY] == "x"


def test_what_was_broken_later_is_undone_to_what_it_was_then(database: Data) -> None:
    add(database, **VALID["all fields full"])
    go_up(database, 1)
    change(database, set={GALLERY: None})
    go_up(database, 1)

    go_down(database, 1)

    assert stored(database)[GALLERY] is None
    assert stored(database)[HISTORY] == [ENTRY]


def test_a_deleted_character_is_repaired_too(database: Data) -> None:
    add(database, deleted_at=ENTRY["created_at"])

    go_up(database, 1)

    assert without_notes(stored(database)).items() >= RIGHT.items()


def test_a_server_that_refuses_what_is_invalid_refuses_neither_way(database: Data) -> None:
    [registered] = (collection for collection in COLLECTIONS if collection.name == "characters")
    database.create_collection("characters", **validation(registered, "error"))
    characters = [*broken_characters(), *strange_characters(), {"_id": "x", "name": 7}]
    database["characters"].insert_many(characters, bypass_document_validation=True)
    before = raw_documents(database)

    go_up(database, 1)
    assert check(database, 1).is_done
    go_down(database, 1)

    assert raw_documents(database) == before


def test_a_database_without_characters_gets_no_collection(database: Data) -> None:
    go_up(database, 1)

    assert "characters" not in database.list_collection_names()


def test_the_gallery_that_stays_is_the_one_that_was_there(database: Data) -> None:
    add(database, **{GALLERY: FULL, HISTORY: None})

    go_up(database, 1)

    assert list(stored(database)[GALLERY]) == list(FULL)
