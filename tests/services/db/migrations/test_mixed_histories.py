"""Histories that the app cannot sort become histories of dates, and what they were when undone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.characters import CharacterRepository
from db.migrations.versions.m0005_dates import HISTORY
from db.migrations.versions.m0008_mixed_histories import AS_WRITTEN
from db.schema.documents.characters import HistoryEntry
from tests.support.db.database_state import Data
from tests.support.db.migrating import (
    Document,
    assert_reversible,
    by_id,
    go_up,
    migrator,
    raw_documents,
    read_in_part,
    unresolved,
)

DAY = datetime(2026, 1, 2, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)


def entries(*times: Any) -> list[Document]:
    """History entries; the time `...` is missing."""
    return [{"id": f"e-{n}"} | _timed(time) for n, time in enumerate(times)]


def _timed(time: object) -> Document:
    return {} if time is ... else {"created_at": time}


def add(database: Data, history: object) -> None:
    database["characters"].insert_one({"id": "mira", HISTORY: history, "last": 1})


def history(database: Data) -> list[Document]:
    found: list[Document] = by_id(database, "characters")["mira"][HISTORY]
    return found


def sorted_as_the_app_does(history: list[Document]) -> list[Document]:
    """Sort a history as `api/v1/facefusion_router.py` of the app does."""
    return sorted(history, key=lambda entry: entry.get("created_at", ""), reverse=True)


MIXED: dict[str, tuple[list[Any], list[Any]]] = {
    "a text that can be read": ([DAY, "2026-01-03"], [DAY, NEXT]),
    "a text that is not a time": ([DAY, "soon", NEXT], [DAY, DAY, NEXT]),
    "the first entry": (["soon", ..., DAY, NEXT], [DAY, DAY, DAY, NEXT]),
    "missing": ([DAY, ..., ...], [DAY, DAY, DAY]),
    "null": ([NEXT, None, DAY], [NEXT, NEXT, DAY]),
    "a number": ([DAY, 1735700000], [DAY, DAY]),
    "after a text that can be read": ([DAY, "2026-01-03", "soon"], [DAY, NEXT, NEXT]),
}


@pytest.mark.parametrize(("before", "after"), MIXED.values(), ids=MIXED)
def test_each_entry_of_a_mixed_history_gets_a_date(
    database: Data, before: list[Any], after: list[Any]
) -> None:
    add(database, entries(*before))

    go_up(database, 8)

    found = history(database)
    assert [entry["created_at"] for entry in found] == after
    assert sorted_as_the_app_does(found)


def test_what_could_not_be_read_stays_in_the_entry(database: Data) -> None:
    add(database, entries(DAY, "soon", 7, "2026-01-03", ..., None))

    go_up(database, 8)

    assert [entry.get(AS_WRITTEN) for entry in history(database)] == [None, "soon", 7, *[None] * 3]


RIGHT: dict[str, Any] = {
    "none": [],
    "dates": entries(DAY, NEXT),
    "texts": entries("2026-01-02", "soon", ...),
    "nothing": entries(..., ...),
    "not a list": "2026-01-02",
    "no entries": [DAY, "2026-01-02"],
}


@pytest.mark.parametrize("stored", RIGHT.values(), ids=RIGHT)
def test_what_the_app_can_sort_stays(database: Data, stored: object) -> None:
    add(database, stored)
    before = raw_documents(database)

    go_up(database, 8)

    assert raw_documents(database) == before
    assert unresolved(database, 8) == {}


def test_a_mixed_history_with_what_is_not_an_entry_is_left_and_listed(database: Data) -> None:
    add(database, [*entries(DAY, "soon"), None])
    before = raw_documents(database)

    go_up(database, 8)

    assert raw_documents(database) == before
    what = "Characters with history entries that are not objects"
    assert unresolved(database, 8) == {what: ("mira",)}


def test_undoing_gives_the_same_bytes(database: Data) -> None:
    for n, (before, _) in enumerate(MIXED.values()):
        database["characters"].insert_one({"_id": n, "id": str(n), HISTORY: entries(*before)})

    assert_reversible(database, 8)


def test_what_migration_5_mixed_is_mended_and_restored(any_database: Data) -> None:
    add(any_database, entries("2026-01-02", "soon", ...))
    before = raw_documents(any_database)
    read_in_part(any_database)
    with pytest.raises(TypeError, match="not supported between"):
        sorted_as_the_app_does(history(any_database))
    runs = migrator(any_database, 5, 8)

    runs.apply("latest")

    assert [entry["created_at"] for entry in history(any_database)] == [DAY] * 3
    assert sorted_as_the_app_does(history(any_database))
    runs.apply("0")
    assert raw_documents(any_database) == before


@pytest.mark.parametrize("times", [["2026-01-02", "soon"], [...], [DAY], []], ids=repr)
def test_a_new_entry_leaves_a_history_that_the_app_can_sort(
    any_database: Data, times: list[Any]
) -> None:
    add(any_database, entries(*times))
    entry = HistoryEntry(id="new", operation_type="swap", input_image_url="a", created_at=NEXT)

    CharacterRepository(any_database).add_history("mira", entry, NEXT)

    assert len(sorted_as_the_app_does(history(any_database))) == len(times) + 1
    assert sorted_as_the_app_does(history(any_database))[0]["id"] in {"new", "e-1"}
