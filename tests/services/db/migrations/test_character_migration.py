"""The FaceFusion fields of a character, however broken they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bson
import pytest

from db.schema.collections import COLLECTIONS
from db.schema.documents.characters import StoredCharacter
from db.setup.compare import validation
from tests.support.db.database_state import Data
from tests.support.db.fixtures import empty_database
from tests.support.db.migrating import (
    UNDO,
    assert_reversible,
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
    before = stored_bytes(database)
    go_up(database, 1)
    after, documents = stored_bytes(database), list(database["characters"].find())
    go_up(database, 1)
    again = stored_bytes(database)
    go_down(database, 1)
    by_name = {document["_id"]: without_notes(document) for document in documents}
    return Repair(before, after, again, stored_bytes(database), by_name)


def stored_bytes(database: Data) -> dict[str, bytes]:
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
    return stored_bytes(database)["mira"]


def change(database: Data, **update: Any) -> None:
    database["characters"].update_one({}, {f"${name}": value for name, value in update.items()})


def stored(database: Data) -> dict[str, Any]:
    found = database["characters"].find_one({"_id": "mira"})
    assert found
    return found


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_character_is_repaired_and_keeps_its_pictures(repair: Repair, name: str) -> None:
    expected = character(name, **RIGHT) | BROKEN[name][1]

    repaired = repair.documents[name]

    assert repaired == expected
    assert [*repaired[GALLERY]["age_variants"]] == [*expected[GALLERY]["age_variants"]]
    assert pictures(BROKEN[name][0].get(GALLERY)) <= pictures(repaired[GALLERY])


@pytest.mark.parametrize("name", [*BROKEN, *VALID])
def test_a_repaired_character_is_valid_repaired_once_and_undone_to_the_same_bytes(
    repair: Repair, name: str
) -> None:
    StoredCharacter.model_validate(repair.documents[name])
    assert repair.again[name] == repair.after[name]
    assert repair.restored[name] == repair.before[name]


@pytest.mark.parametrize("name", VALID)
def test_a_valid_character_is_not_touched(repair: Repair, name: str) -> None:
    assert repair.after[name] == repair.before[name]


def test_both_ways_are_exact_for_every_kind_of_id_beside_a_strict_validator(
    any_database: Data,
) -> None:
    [registered] = (collection for collection in COLLECTIONS if collection.name == "characters")
    any_database.create_collection("characters", **validation(registered, "error"))
    characters = [*broken_characters(), *strange_characters(), {"_id": "x", "name": 7}]
    any_database["characters"].insert_many(characters, bypass_document_validation=True)

    assert_reversible(any_database, 1)


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


def test_the_report_counts_the_repairs_of_each_field(database: Data) -> None:
    database["characters"].insert_many(broken_characters())
    remaining = check(database, 1).remaining

    move = go_up(database, 1)

    assert move.counts == remaining
    assert remaining[f"characters.{GALLERY}"] > 30


WRITTEN_SINCE: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (
        {HISTORY: None, GALLERY: {"custom_outputs": "a.png"}},
        {"push": {HISTORY: ENTRY}},
        {HISTORY: [ENTRY], GALLERY: {"custom_outputs": "a.png"}},
    ),
    ({}, {"set": {SETTINGS: {"x": 1}}}, {SETTINGS: {"x": 1}}),
]


@pytest.mark.parametrize(("before", "written", "after"), WRITTEN_SINCE, ids=["entry", "settings"])
def test_fields_written_since_stay_and_the_rest_is_undone(
    database: Data, before: dict[str, Any], written: dict[str, Any], after: dict[str, Any]
) -> None:
    add(database, **before)

    up_and_down(database, 1, lambda: change(database, **written))

    assert stored(database) == character("mira") | after


def test_pictures_that_the_app_has_added_since_stay(database: Data) -> None:
    add(database, **FIRST)
    picture = {f"{GALLERY}.age_variants.65": "new.png"}

    up_and_down(database, 1, lambda: change(database, set=picture))

    ages = stored(database)[GALLERY]["age_variants"]
    assert (ages["65"], ages["12"]) == ("new.png", "a.png")


@pytest.mark.parametrize(
    "broken_again",
    [
        {"set": {GALLERY: None}},
        {"set": {GALLERY: ["x.png"]}},
        {"unset": {GALLERY: True}},
        {"unset": {SETTINGS: True}},
        {"unset": dict.fromkeys(RIGHT, True)},
    ],
    ids=["null", "of another type", "missing", "missing settings", "all missing"],
)
@pytest.mark.parametrize("first", [{}, FIRST, {HISTORY: "x", SETTINGS: 1, GALLERY: 2}])
def test_a_field_broken_again_is_repaired_again_and_its_first_original_is_kept(
    database: Data, first: dict[str, Any], broken_again: dict[str, Any]
) -> None:
    add(database, **first)
    go_up(database, 1)
    notes = stored(database)[UNDO]

    change(database, **broken_again)
    [operation] = broken_again.values()
    remaining = check(database, 1).remaining
    assert remaining == {f"characters.{name}": int(name in operation) for name in RIGHT}
    go_up(database, 1)

    assert check(database, 1).is_done
    assert stored(database)[UNDO] == notes


def test_a_field_that_was_lost_and_filled_again_is_undone_to_the_first_original(
    database: Data,
) -> None:
    before = add(database, **{HISTORY: "x", SETTINGS: 1, GALLERY: 2})
    go_up(database, 1)
    change(database, unset=dict.fromkeys(RIGHT, True))
    go_up(database, 1)

    go_down(database, 1)

    restored = stored_bytes(database)["mira"]
    assert sorted(restored) == sorted(before)
    assert stored(database)[HISTORY] == "x"


def test_a_field_broken_later_is_undone_to_its_value_then(database: Data) -> None:
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


def test_a_valid_gallery_keeps_the_order_of_its_fields(database: Data) -> None:
    add(database, **{GALLERY: FULL, HISTORY: None})

    go_up(database, 1)

    assert list(stored(database)[GALLERY]) == list(FULL)
