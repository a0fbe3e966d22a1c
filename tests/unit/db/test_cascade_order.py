"""What is deleted with what and how long it stays, decided from the relations alone."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from bson.datetime_ms import DatetimeMS

from db.connection import in_batches
from db.schema.collections import COLLECTIONS
from db.schema.relations import RELATIONS, SOFT_DELETABLE
from db.soft_delete.cascade import Counts
from db.soft_delete.marks import PENDING_DELETION, Mark, mark_of, pending_mark_of, where
from db.soft_delete.owned import children_first, is_id, parents_of
from db.soft_delete.recycle_bin import days_left
from db.soft_delete.story import StoryCollection

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_every_soft_deletable_collection_comes_once_and_before_those_that_own_it() -> None:
    order = children_first()

    assert sorted(order) == sorted(SOFT_DELETABLE)
    for relation in RELATIONS:
        if relation.owned and relation.collection != relation.parent:
            assert order.index(relation.collection) < order.index(relation.parent)


def test_owned_collections_are_soft_deletable_like_their_owners() -> None:
    names = {collection.name for collection in COLLECTIONS}
    owned = {
        name
        for relation in RELATIONS
        if relation.owned
        for name in (relation.collection, relation.parent)
    }

    assert owned <= SOFT_DELETABLE <= names


def test_a_scene_hangs_on_its_project_and_on_its_parent_scene() -> None:
    assert [relation.parent for relation in parents_of("scenes")] == ["projects", "scenes"]
    assert parents_of("projects") == ()


def test_an_empty_id_names_no_document() -> None:
    assert [is_id(value) for value in ("a", "", None, 7)] == [True, False, False, False]


def test_batches_are_no_larger_than_requested_and_counts_of_nothing_are_nothing() -> None:
    assert [*in_batches(range(5), 2)] == [(0, 1), (2, 3), (4,)]
    assert Counts() + Counts({"scenes": 0}) == {}


def test_the_rule_stands_beside_the_callers_own_condition() -> None:
    own = {"deleted_at": "x"}

    assert where(own, "not") == {"$and": [own, {"deleted_at": None}]}
    assert where(own, "only") == {"$and": [own, {"deleted_at": {"$ne": None}}]}
    assert where(own, "any") == own


def test_a_mark_is_read_from_the_document_or_a_pending_deletion() -> None:
    mark = Mark("then", "user-1")

    assert mark_of(mark.fields) == pending_mark_of({PENDING_DELETION: mark.fields}) == mark
    assert mark_of({}) is mark_of({"deleted_at": None}) is None
    assert pending_mark_of({}) is pending_mark_of({PENDING_DELETION: "text"}) is None


@pytest.mark.parametrize(
    ("ago", "left"),
    [
        (timedelta(0), 30),
        (timedelta(seconds=1), 30),
        (timedelta(days=29, hours=23), 1),
        (timedelta(days=30), 0),
        (timedelta(days=400), 0),
    ],
    ids=str,
)
def test_a_part_of_a_day_counts_as_a_whole_one(ago: timedelta, left: int) -> None:
    assert days_left(NOW - ago, NOW, 30) == left


@pytest.mark.parametrize("odd", ["yesterday", 7, DatetimeMS(10**15), [NOW]], ids=repr)
def test_what_is_no_time_is_never_removed(odd: object) -> None:
    assert days_left(odd, NOW, 30) is None


def test_a_person_deletes_everything_that_is_marked_but_users_and_servers() -> None:
    assert {*get_args(StoryCollection)} == SOFT_DELETABLE - {"users", "comfyui_servers"}
