"""An index is recognised by what the server tells about it, whatever the server adds."""

from typing import Any

import pytest

from db.schema.collections import COLLECTIONS
from db.schema.indexes import NOT_DELETED, WITHOUT_CASE, Index, found_index

COLLATION = {
    "locale": "en",
    "caseLevel": False,
    "caseFirst": "off",
    "strength": 2,
    "numericOrdering": False,
    "alternate": "non-ignorable",
    "maxVariable": "punct",
    "normalization": False,
    "backwards": False,
    "version": "57.1",
}

SAME: list[tuple[Index, dict[str, Any]]] = [
    (Index(("id",), unique=True), {"key": {"id": 1}, "name": "id_1", "unique": True, "v": 2}),
    (Index(("-at",)), {"key": {"at": -1.0}, "name": "at_-1", "background": True}),
    (Index(("a", "-b")), {"key": {"a": 1, "b": -1}, "name": "a_1_b_-1", "unique": False}),
    (
        Index(("url",), unique=True, partial=NOT_DELETED),
        {
            "key": {"url": 1},
            "name": "url_1",
            "unique": True,
            "partialFilterExpression": {"deleted_at": None},
        },
    ),
    (
        Index(("user",), collation=WITHOUT_CASE),
        {"key": {"user": 1}, "name": "user_1", "collation": COLLATION},
    ),
    (
        Index(weights={"name": 10, "tags": 5}),
        {
            "key": {"_fts": "text", "_ftsx": 1},
            "name": "name_text_tags_text",
            "weights": {"tags": 5, "name": 10},
            "default_language": "english",
            "language_override": "language",
            "textIndexVersion": 3,
        },
    ),
]

OTHER: list[dict[str, Any]] = [
    {"key": {"id": 1}, "name": "id_1"},
    {"key": {"id": -1}, "name": "id_-1", "unique": True},
    {"key": {"id": 1}, "name": "by_id", "unique": True},
    {"key": {"id": "hashed"}, "name": "id_hashed"},
    {"key": {"id": 1}, "name": "id_1", "unique": True, "sparse": True},
    {"key": {"id": 1}, "name": "id_1", "unique": True, "expireAfterSeconds": 60},
    {"key": {"id": 1}, "name": "id_1", "unique": True, "hidden": True},
    {"key": {"id": 1}, "name": "id_1", "unique": True, "collation": COLLATION},
]


@pytest.mark.parametrize(("index", "told"), SAME)
def test_an_index_is_recognised(index: Index, told: dict[str, Any]) -> None:
    assert found_index(told).is_as(index)


@pytest.mark.parametrize("told", OTHER)
def test_another_index_is_not_taken_for_it(told: dict[str, Any]) -> None:
    assert not found_index(told).is_as(Index(("id",), unique=True))


def test_no_collection_is_named_twice_and_none_has_an_index_twice() -> None:
    names = [collection.name for collection in COLLECTIONS]
    indexes = [
        (collection.name, index.stored_keys)
        for collection in COLLECTIONS
        for index in collection.indexes
    ]

    assert sorted(set(names)) == sorted(names)
    assert sorted(set(indexes)) == sorted(indexes)


def test_what_is_deleted_by_marking_is_found_by_its_mark() -> None:
    for collection in COLLECTIONS:
        indexed = Index(("deleted_at",)) in collection.indexes
        assert indexed == collection.soft_deletable
