"""One odd document is left as it is and listed with collection and id; all others are migrated."""

from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument

from db.connection import Document
from db.migrations.engine.check import MigrationReport
from db.migrations.engine.migrator import Migrator
from tests.support.db.database_state import Data
from tests.support.db.migrating import (
    check,
    every_migration,
    go_down,
    go_up,
    raw_documents,
    whole,
)
from tests.support.db.odd_documents import (
    BROKEN_TIME,
    DOUBLED,
    GALLERY,
    HISTORY,
    INSIDE,
    LARGEST,
    Broken,
    insert,
    of_size,
    raw,
)

ENTRIES = [{"id": "e", "created_at": "2026-01-02"}]


def migrator(database: Data) -> Migrator:
    return Migrator(database, "a test", every_migration())


def listed(report: MigrationReport) -> set[tuple[str, str]]:
    """The collection and the id of every document that is left to a person."""
    texts = [left for move in report.moves for left in move.unresolved]
    return {(_collection(left.what), name) for left in texts for name in left.examples}


def _collection(what: str) -> str:
    words = what.replace(";", " ").replace(".", " ").split()
    return words[2] if words[0] == "Documents" else words[0].lower()


@pytest.fixture
def story(database: Data) -> Data:
    """A database with a scene and, in each collection, a document that is migrated."""
    database["scenes"].insert_one({"_id": 100, "id": "inn", "project_id": "story"})
    database["clips"].insert_one({"_id": 101, "id": "good", "scene_id": "inn"})
    database["characters"].insert_one({"_id": 102, "id": "good", HISTORY: ENTRIES})
    return database


def is_migrated(database: Data) -> bool:
    clip = database["clips"].find_one({"id": "good"}) or {}
    character = database["characters"].find_one({"id": "good"}) or {}
    return clip["project_id"] == "story" and character[GALLERY]["custom_outputs"] == []


def test_documents_with_a_field_twice_are_listed_and_left_up_and_down(story: Data) -> None:
    for collection, documents in DOUBLED.items():
        insert(story, collection, *documents)
    before = whole(story)

    report = migrator(story).apply()

    after = raw_documents(story)
    assert is_migrated(story)
    assert [
        (collection, document["_id"])
        for collection, documents in DOUBLED.items()
        for document in documents
        if document.raw not in after[collection]
    ] == []
    assert {
        (collection, str(document["id"]))
        for collection, documents in DOUBLED.items()
        for document in documents
    } - listed(report) == set()
    migrator(story).apply("0")
    assert whole(story) == before


def test_a_field_twice_inside_of_what_is_taken_apart_is_left_too(story: Data) -> None:
    insert(story, "characters", *INSIDE)
    before = whole(story)

    report = migrator(story).apply()

    after = raw_documents(story)["characters"]
    assert is_migrated(story)
    assert {("characters", "gallery"), ("characters", "entry")} <= listed(report)
    for document, field in zip(INSIDE, (GALLERY, HISTORY), strict=True):
        kept = bson.encode({field: document[field]})[4:-1]
        assert any(kept in found for found in after)
    migrator(story).apply("0")
    assert whole(story) == before


NAMES: dict[str, tuple[Document, RawBSONDocument]] = {
    "one name more": ({"about": "sea"}, raw(("id", "odd"), ("about", "a"), ("about", "b"))),
    "as many names": ({"about": "sea", "age": 7}, raw(("id", "odd"), ("age", 1), ("age", 2))),
    "a dot in a name": (
        {"a": {}, "a.b": 1},
        raw(("id", "odd"), ("a", {"b": 1}), ("a", {"b": 2})),
    ),
}


@pytest.mark.parametrize(("first", "doubled"), NAMES.values(), ids=NAMES)
def test_a_field_twice_is_seen_among_documents_of_the_same_names(
    database: Data, first: Document, doubled: RawBSONDocument
) -> None:
    database["characters"].insert_many([{"id": "first", **first}, {"id": "second", **first}])
    insert(database, "characters", doubled)

    report = migrator(database).apply("1")

    assert ("characters", "odd") in listed(report)
    assert doubled.raw[4:] in b"".join(raw_documents(database)["characters"])
    migrated = database["characters"].find({"id": {"$ne": "odd"}})
    assert [character[HISTORY] for character in migrated] == [[], []]


SLASH = "loras/hero.pt"
OF_MATCH_MODELS = {"_id": SLASH, "id": SLASH, "catalog_model_id": SLASH, "type": "lora"}
OF_THE_APP = {"_id": 1, "id": "app", "name": "hero.pt", "type": "lora"}
ODD_LINKS = {
    "same field twice": [("preset_type", "p"), ("model_id", SLASH), ("steps", 1), ("steps", 2)],
    "not an object": [("preset_type", "p"), ("model_id", SLASH), ("migration_undo", "text")],
}


@pytest.mark.parametrize("rows", [[OF_MATCH_MODELS], [OF_MATCH_MODELS, OF_THE_APP]])
@pytest.mark.parametrize(("reason", "fields"), ODD_LINKS.items(), ids=ODD_LINKS)
@pytest.mark.parametrize("name", ["inference_configurations", "model_presets"])
def test_an_odd_link_to_a_row_that_gets_another_id_is_listed_and_left(
    database: Data, name: str, reason: str, fields: list[tuple[str, Any]], rows: list[Any]
) -> None:
    database["database_models"].insert_many(rows)
    odd = raw(("_id", 1), ("id", "odd"), *fields)
    beside = raw(("_id", 2), ("id", "other"), ("model_id", "app"), ("preset_type", "p"))
    insert(database, name, odd, beside)
    before = whole(database)
    foreseen = check(database, 6).unresolved

    go_up(database, 6)

    assert odd.raw in raw_documents(database)[name]
    for found in (foreseen, check(database, 6).unresolved):
        assert [left.examples for left in found if name in left.what] == [("odd",)]
        assert [left.what for left in found if name in left.what and reason in left.what]
    go_down(database, 6)
    assert whole(database) == before
    assert check(database, 6).unresolved == foreseen


BROKEN: list[tuple[str, int, RawBSONDocument]] = [
    ("clips", 5, raw(("id", "odd"), ("created_at", BROKEN_TIME))),
    (
        "characters",
        5,
        raw(("_id", 1), ("id", "odd"), (HISTORY, [raw(("created_at", BROKEN_TIME))])),
    ),
    (
        "users",
        4,
        raw(("_id", 1), ("id", "odd"), ("email", Broken(b"B\xff@x")), ("password_hash", "")),
    ),
]


@pytest.mark.parametrize(("collection", "number", "document"), BROKEN)
def test_text_that_is_not_utf8_is_listed_and_left_up_and_down(
    database: Data, collection: str, number: int, document: RawBSONDocument
) -> None:
    insert(database, collection, document)
    before = whole(database)

    report = migrator(database).apply()

    assert (collection if collection != "clips" else "texts", "odd") in listed(report)
    migrator(database).apply("0")
    assert whole(database) == before
    go_up(database, number)
    assert whole(database) == before


def test_ages_and_names_that_are_not_utf8_are_kept(database: Data) -> None:
    aged = raw(("age", Broken(b"2\xff")), ("url", "a.png"))
    gallery = raw(("age_variants", [aged]))
    insert(database, "characters", raw(("_id", 1), ("id", "odd"), (GALLERY, gallery)))
    insert(database, "users", raw(("_id", 2), ("id", "u"), ("username", Broken(b"B\xff"))))
    before = whole(database)

    migrator(database).apply()

    found = database["characters"].find_one({}, [f"{GALLERY}.custom_outputs"]) or {}
    assert "a.png" in found[GALLERY]["custom_outputs"]
    migrator(database).apply("0")
    assert whole(database) == before


def test_a_document_without_room_for_its_new_fields_is_listed_and_left(story: Data) -> None:
    large = of_size(LARGEST - 350, {"_id": 1, "id": "large", "scene_id": "inn"})
    portrait = of_size(LARGEST - 350, {"_id": 1, "id": "portrait"})
    story["clips"].insert_one(large)
    story["characters"].insert_one(portrait)

    report = migrator(story).apply()

    assert is_migrated(story)
    assert {("clips", "large"), ("characters", "portrait")} <= listed(report)
    assert story["clips"].find_one({"_id": 1}) == large
    assert story["characters"].find_one({"_id": 1}) == portrait
    migrator(story).apply("0")
    assert story["clips"].find_one({"_id": 1}) == large


def test_a_document_with_room_for_its_new_fields_is_changed(database: Data) -> None:
    roomy = of_size(LARGEST - 30_000, {"_id": 1, "id": "roomy"})
    database["characters"].insert_one(roomy)

    go_up(database, 1)

    assert (database["characters"].find_one({}, {"notes": 0}) or {})[HISTORY] == []
    go_down(database, 1)
    assert database["characters"].find_one() == roomy


def test_a_document_with_null_as_its_id_is_listed_and_left(story: Data) -> None:
    story["clips"].insert_one({"_id": None, "id": "null", "scene_id": "inn", "project_id": None})
    preset = {"_id": None, "id": "null", "model_id": "m", "preset_type": "p"}
    story["inference_configurations"].insert_one(preset)

    report = migrator(story).apply()

    assert is_migrated(story)
    assert {("clips", "null"), ("inference_configurations", "null")} <= listed(report)
    assert (story["clips"].find_one({"_id": None}) or {})["project_id"] is None
    assert story["inference_configurations"].find_one() == preset
    assert migrator(story).apply("0").moves


@pytest.mark.parametrize(
    "name", ["users", "clips", "characters", "database_models", "inference_configurations"]
)
def test_a_view_in_the_place_of_a_collection_is_listed_and_left(database: Data, name: str) -> None:
    database["others"].insert_many(
        [
            {"_id": 1, "id": 7, "email": "a@example.org", "password_hash": "x"},
            {"_id": 2, "id": "s/a", "catalog_model_id": "s/a", "model_id": "m", "preset_type": "p"},
            {"_id": 3, "id": "clip", "scene_id": "inn", "created_at": "2026-01-02"},
        ]
    )
    database["scenes"].insert_one({"_id": 1, "id": "inn", "project_id": "story"})
    database.create_collection(name, viewOn="others")
    before = raw_documents(database)["others"]

    report = migrator(database).apply()

    assert ("views", name) in listed(report)
    assert raw_documents(database)["others"] == before
    assert migrator(database).apply("0").moves


@pytest.mark.parametrize("note", ["text", ["a"], None, 7])
def test_a_document_whose_undo_notes_are_not_an_object_is_listed_and_left(
    database: Data, note: object
) -> None:
    odd = {"_id": 1, "id": "odd", "migration_undo": note}
    database["characters"].insert_one(odd)

    report = migrator(database).apply()

    assert ("characters", "odd") in listed(report)
    assert database["characters"].find_one() == odd
