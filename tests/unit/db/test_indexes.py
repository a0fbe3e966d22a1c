"""An index is recognised by the server's description, whatever the server adds."""

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


def listed(name: str, key: dict[str, Any], **options: Any) -> dict[str, Any]:
    """An index as the server lists it."""
    return {"name": name, "key": key, **options}


TEXT: dict[str, Any] = {
    "weights": {"tags": 5, "name": 10},
    "default_language": "english",
    "language_override": "language",
    "textIndexVersion": 3,
}
PARTIAL: dict[str, Any] = {"partialFilterExpression": {"deleted_at": None}}
SAME: list[tuple[Index, dict[str, Any]]] = [
    (Index(("id",), unique=True), listed("id_1", {"id": 1}, unique=True, v=2)),
    (Index(("-at",)), listed("at_-1", {"at": -1.0}, background=True)),
    (Index(("a", "-b")), listed("a_1_b_-1", {"a": 1, "b": -1}, unique=False)),
    (
        Index(("url",), unique=True, partial=NOT_DELETED),
        listed("url_1", {"url": 1}, unique=True, **PARTIAL),
    ),
    (
        Index(("user",), collation=WITHOUT_CASE),
        listed("user_1", {"user": 1}, collation=COLLATION),
    ),
    (
        Index(weights={"name": 10, "tags": 5}),
        listed("name_text_tags_text", {"_fts": "text", "_ftsx": 1}, **TEXT),
    ),
]
OTHER = [
    listed("id_1", {"id": 1}),
    listed("id_-1", {"id": -1}, unique=True),
    listed("by_id", {"id": 1}, unique=True),
    listed("id_hashed", {"id": "hashed"}),
    *(
        listed("id_1", {"id": 1}, unique=True, **option)
        for option in (
            *({"sparse": True}, {"expireAfterSeconds": 60}, {"hidden": True}),
            {"collation": COLLATION},
        )
    ),
]


@pytest.mark.parametrize(("index", "stored"), SAME)
def test_an_index_is_recognised(index: Index, stored: dict[str, Any]) -> None:
    assert found_index(stored).is_as(index)


@pytest.mark.parametrize("stored", OTHER)
def test_another_index_is_not_taken_for_it(stored: dict[str, Any]) -> None:
    assert not found_index(stored).is_as(Index(("id",), unique=True))


def test_no_collection_is_named_twice_and_none_has_an_index_twice() -> None:
    names = [collection.name for collection in COLLECTIONS]
    indexes = [
        (collection.name, index.stored_keys)
        for collection in COLLECTIONS
        for index in collection.indexes
    ]

    assert sorted(set(names)) == sorted(names)
    assert sorted(set(indexes)) == sorted(indexes)


def test_soft_deletable_collections_have_an_index_on_the_mark() -> None:
    for collection in COLLECTIONS:
        indexed = Index(("deleted_at",)) in collection.indexes
        assert indexed == collection.soft_deletable
