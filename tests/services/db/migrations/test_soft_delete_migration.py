"""Marks of deletion, and unique values that can be used again after a deletion."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from db.errors import ValueTaken
from db.migrations.versions.m0002_soft_delete import SOFT_DELETABLE
from db.schema.collections import COLLECTIONS
from db.schema.indexes import Index
from db.setup.apply import initialise
from db.setup.compare import find_indexes
from tests.support.db.database_state import Data
from tests.support.db.migrating import (
    assert_reversible,
    go_down,
    go_up,
    indexes,
    migrator,
    raw_documents,
    unresolved,
    up_and_down,
    whole,
)

THEN = datetime(2026, 1, 2, tzinfo=UTC)
DELETED = {"deleted_at": THEN, "deleted_by": "u"}
MARKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "none": ({}, {"deleted_at": None, "deleted_by": None}),
    "null": ({"deleted_at": None, "deleted_by": None}, {"deleted_at": None, "deleted_by": None}),
    "only when": ({"deleted_at": THEN}, {"deleted_at": THEN, "deleted_by": None}),
    "only the user": ({"deleted_by": "u"}, {"deleted_at": None, "deleted_by": "u"}),
    "both": (DELETED, DELETED),
    "a text": ({"deleted_at": "2026-01-02"}, {"deleted_at": "2026-01-02", "deleted_by": None}),
    "another type": ({"deleted_at": False}, {"deleted_at": False, "deleted_by": None}),
}
UNIQUE = [("comfyui_servers", "url"), ("users", "email"), ("users", "username")]
OLD: dict[str, list[tuple[str, Any, dict[str, Any]]]] = {
    "unique": [("comfyui_servers", "url", {"unique": True})],
    "sparse and unique": [("comfyui_servers", "url", {"unique": True, "sparse": True})],
    "unique under another name": [("comfyui_servers", "url", {"unique": True, "name": "x"})],
    "hidden": [("comfyui_servers", "url", {"unique": True, "hidden": True})],
    "not unique": [("comfyui_servers", "url", {})],
    "two of the same field": [
        ("users", "email", {"unique": True}),
        ("users", "email", {"name": "x", "collation": {"locale": "de", "strength": 1}}),
    ],
    "sensitive to accents": [
        ("users", "username", {"unique": True, "collation": {"locale": "fr", "strength": 2}})
    ],
    "descending under the name": [("scenes", [("deleted_at", -1)], {"name": "deleted_at_1"})],
    "of other fields under the name": [
        ("comfyui_servers", [("url", 1), ("name", 1)], {"name": "url_1", "unique": True})
    ],
    "expiring": [("clips", "deleted_at", {"expireAfterSeconds": 10**9, "name": "purge"})],
    "sparse on the mark": [("projects", "deleted_at", {"sparse": True})],
    "as in the registry": [("projects", "deleted_at", {}), ("clips", "deleted_at", {})],
}


def make(database: Data, name: str) -> None:
    for collection, keys, options in OLD[name]:
        database[collection].create_index(keys, **options)


def add_servers(database: Data) -> None:
    """Store a deleted server and an existing server under an index that holds both."""
    database["comfyui_servers"].create_index("url", unique=True)
    database["comfyui_servers"].insert_many(
        [{"id": "gone", "url": "a", **DELETED}, {"id": "there", "url": "b"}]
    )


def of_deletion(database: Data) -> dict[str, list[Index]]:
    """The registry's indexes that know of deletion, in collections that are there."""
    existing = database.list_collection_names()
    return {
        collection.name: [index for index in collection.indexes if "deleted_at" in index.fields]
        for collection in COLLECTIONS
        if collection.name in SOFT_DELETABLE and collection.name in existing
    }


def has(database: Data, collection: str, index: Index) -> bool:
    return any(found.is_as(index) for found in find_indexes(database, collection))


def test_the_migration_covers_every_soft_deletable_collection() -> None:
    assert set(SOFT_DELETABLE) == {
        collection.name for collection in COLLECTIONS if collection.soft_deletable
    }


@pytest.mark.parametrize(("before", "after"), MARKS.values(), ids=MARKS)
def test_marks_are_added_where_there_are_none(
    database: Data, before: dict[str, Any], after: dict[str, Any]
) -> None:
    database["clips"].insert_one(dict(before))

    go_up(database, 2)

    found = database["clips"].find_one() or {}
    assert {name: found[name] for name in after} == after


def test_every_collection_gets_its_marks_once_and_gives_them_back(database: Data) -> None:
    for collection in SOFT_DELETABLE:
        database[collection].insert_many([{"_id": n, **mark} for n, (mark, _) in MARKS.items()])

    assert_reversible(database, 2)
    go_up(database, 2)
    without = {"deleted_by": {"$exists": False}}
    assert [name for name in SOFT_DELETABLE if database[name].count_documents(without)] == []


@pytest.mark.parametrize(("collection", "field"), UNIQUE)
def test_the_value_of_a_deleted_document_can_be_used_again(
    database: Data, collection: str, field: str
) -> None:
    database[collection].create_index(field, unique=True)
    database[collection].insert_one({field: "same", **DELETED})
    with pytest.raises(DuplicateKeyError):
        database[collection].insert_one({field: "same"})

    go_up(database, 2)

    database[collection].insert_one({field: "same", "deleted_at": None})
    with pytest.raises(DuplicateKeyError):
        database[collection].insert_one({field: "same"})


def test_the_indexes_are_those_of_the_registry(database: Data) -> None:
    for collection, field in UNIQUE:
        database[collection].create_index(field, unique=True)
    database["scenes"].insert_one({"id": "s"})
    database["projects"].insert_one({"id": "p"})

    go_up(database, 2)

    found = of_deletion(database)
    assert set(found) == {"comfyui_servers", "users", "scenes", "projects"}
    assert [
        (name, index.name)
        for name, wanted in found.items()
        for index in wanted
        if not has(database, name, index)
    ] == []


def test_an_index_that_was_not_unique_does_not_become_unique(database: Data) -> None:
    database["comfyui_servers"].insert_many([{"url": "a"}, {"url": "a"}])

    go_up(database, 2)

    assert set(indexes(database)["comfyui_servers"]) == {"_id_", "deleted_at_1"}


def test_an_index_of_an_earlier_version_is_undone_with_and_without_init_db(
    any_database: Data,
) -> None:
    add_servers(any_database)
    before = whole(any_database)
    servers = any_database["comfyui_servers"]
    for between in (lambda: None, lambda: initialise(any_database)):
        go_up(any_database, 2)
        servers.drop_index("url_1_deleted_at_1")
        servers.create_index("url", unique=True, partialFilterExpression={"deleted_at": None})
        between()

        go_down(any_database, 2)

        assert (
            indexes(any_database)["comfyui_servers"]["url_1"]
            == (before[1]["comfyui_servers"]["url_1"])
        )


def test_the_apps_index_goes_also_beside_ours_and_comes_back(database: Data) -> None:
    add_servers(database)
    initialise(database)
    before = indexes(database)["comfyui_servers"]

    go_up(database, 2)

    assert {*before} - {*indexes(database)["comfyui_servers"]} == {"url_1"}
    go_down(database, 2)
    assert indexes(database)["comfyui_servers"] == before


@pytest.mark.parametrize("name", OLD)
def test_undoing_once_or_twice_gives_the_same_indexes_back(database: Data, name: str) -> None:
    make(database, name)
    database["scenes"].insert_one({"id": "s"})

    assert_reversible(database, 2)


def test_a_sparse_index_comes_back_beside_documents_without_the_field(database: Data) -> None:
    make(database, "sparse and unique")
    database["comfyui_servers"].insert_many([{"id": 1}, {"id": 2, **DELETED}])

    assert_reversible(database, 2)


def test_shared_values_are_listed_and_keep_their_index(database: Data) -> None:
    database["users"].create_index("username", unique=True, sparse=True)
    database["users"].create_index("email", unique=True)
    database["users"].insert_many([{"email": "a"}, {"email": "b"}])
    before = whole(database)

    go_up(database, 2)

    assert unresolved(database, 2) == {"Values of users.username that several have": ("null",)}
    found = indexes(database)["users"]
    assert found["username_1"] == before[1]["users"]["username_1"]
    assert "email_1_deleted_at_1" in found
    go_down(database, 2)
    assert whole(database) == before


def test_undoing_is_refused_until_a_deleted_url_is_free_again(database: Data) -> None:
    add_servers(database)
    original = whole(database)
    go_up(database, 2)
    database["comfyui_servers"].insert_one({"id": "new", "url": "a", "deleted_at": None})
    before = raw_documents(database)

    with pytest.raises(ValueTaken, match=r"^1 set\(s\) of documents in comfyui_servers, .*'a'"):
        go_down(database, 2)

    assert raw_documents(database) == before
    database["comfyui_servers"].delete_one({"id": "new"})
    go_down(database, 2)
    assert whole(database) == original


def test_a_document_deleted_in_the_meantime_stays_deleted(database: Data) -> None:
    database["projects"].insert_one({"_id": 1})

    up_and_down(database, 2, lambda: database["projects"].update_one({}, {"$set": DELETED}))

    assert database["projects"].find_one() == {"_id": 1, **DELETED}


def lose_the_index(database: Data, status: str) -> None:
    """Leave what a kill leaves between dropping an index and making its successor."""
    database["comfyui_servers"].drop_index("url_1_deleted_at_1")
    database["migrations"].update_one({"_id": 2}, {"$set": {"status": status}})


@pytest.mark.parametrize("goes_up", [True, False], ids=["up", "down"])
@pytest.mark.parametrize("status", ["running", "reverting"])
def test_a_kill_between_two_indexes_loses_none(database: Data, status: str, goes_up: bool) -> None:
    add_servers(database)
    before = whole(database)
    go_up(database, 2)
    after = whole(database)
    lose_the_index(database, status)

    if goes_up:
        migrator(database, 2).apply("latest")
        assert whole(database) == after
    go_down(database, 2)

    assert whole(database) == before
