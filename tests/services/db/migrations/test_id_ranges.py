"""Ranges of `_id` hold every document once, whatever its `_id` is."""

import random
from itertools import islice
from typing import Any

import pytest

from db.migrations.engine.work import RANGE_BYTES, RANGE_SIZE, Work, id_ranges, range_size
from tests.support.db.database_state import Data
from tests.support.db.old_database import STRANGE_IDS

ENDLESS = 1000


def found_in_ranges(database: Data, size: int) -> list[list[Any]]:
    """The `_id`s that each range finds."""
    ranges = islice(id_ranges(database["x"], size), ENDLESS)
    return [
        [document["_id"] for document in database["x"].find(which).sort("_id")] for which in ranges
    ]


def add(database: Data, ids: list[Any]) -> None:
    shuffled = random.Random(7).sample(ids, len(ids))  # noqa: S311
    database["x"].insert_many({"_id": value} for value in shuffled)


def in_words(ids: list[Any]) -> list[str]:
    """Make NaN equal to itself."""
    return [repr(value) for value in ids]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_every_kind_of_id_is_in_a_single_range_in_its_order(database: Data, size: int) -> None:
    add(database, STRANGE_IDS)

    found = [value for ids in found_in_ranges(database, size) for value in ids]

    assert in_words(found) == in_words(
        [document["_id"] for document in database["x"].find().sort("_id")]
    )


@pytest.mark.parametrize("left_out", range(0, len(STRANGE_IDS), 3))
def test_an_id_of_any_kind_may_be_alone(database: Data, left_out: int) -> None:
    add(database, [STRANGE_IDS[left_out]])

    assert in_words(*found_in_ranges(database, 5)) == in_words([STRANGE_IDS[left_out]])


@pytest.mark.parametrize("size", [1, 2, 9, 10, 11, 99])
def test_no_range_is_larger_than_it_may_be(database: Data, size: int) -> None:
    add(database, [*range(40), *map(str, range(40))])

    lengths = [len(ids) for ids in found_in_ranges(database, size)]

    assert sum(lengths) == 80
    assert 0 < min(lengths) <= max(lengths) <= size


def test_all_but_the_last_range_of_a_kind_are_full(database: Data) -> None:
    assert found_in_ranges(database, 10) == []
    add(database, [*range(25), *map(str, range(12))])

    assert [len(ids) for ids in found_in_ranges(database, 10)] == [10, 10, 5, 10, 2]


def test_a_document_inserted_between_two_ranges_does_no_harm(database: Data) -> None:
    add(database, [1, 2, 3, 4])
    ranges = id_ranges(database["x"], 2)
    first = next(ranges)
    database["x"].insert_one({"_id": 2.5})

    rest = [document["_id"] for which in ranges for document in database["x"].find(which)]

    assert [document["_id"] for document in database["x"].find(first).sort("_id")] == [1, 2, 2.5]
    assert rest == [3, 4]


@pytest.mark.parametrize(
    ("size", "documents"),
    [(100, RANGE_SIZE), (1_000_000, RANGE_BYTES // 1_000_000), (9_000_000, 1)],
)
def test_ranges_hold_as_many_bytes_whatever_the_size_of_documents(
    database: Data, size: int, documents: int
) -> None:
    database["x"].insert_many({"_id": number, "text": "x" * size} for number in range(2))

    found = range_size(database["x"])

    assert documents * 0.9 <= found <= documents
    assert range_size(database["missing"]) == RANGE_SIZE


def test_progress_is_reported_by_documents_of_every_range(database: Data) -> None:
    database["x"].insert_many({"_id": number, "text": "x" * 5_000_000} for number in range(7))
    told: list[tuple[str, int, int]] = []
    work = Work(database, lambda: None, lambda *progress: told.append(progress))

    work.update("x", {}, [{"$set": {"seen": True}}])

    assert told == [("x", 3, 7), ("x", 6, 7), ("x", 7, 7)]
    assert database["x"].count_documents({"seen": True}) == 7
