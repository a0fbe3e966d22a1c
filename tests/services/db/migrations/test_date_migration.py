"""Times that were written as text become dates, and texts again when the migration is undone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from bson import Int64
from pydantic import BaseModel

from db.migrations.versions.m0005_dates import TIMES
from db.schema.collections import COLLECTIONS
from tests.support.db.database_state import Data
from tests.support.db.migrating import (
    assert_reversible,
    by_id,
    go_down,
    go_up,
    raw_documents,
    read_in_part,
    undo,
    unresolved,
    up_and_down,
    whole,
)

HISTORY = "facefusion_processing_history"
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OURS = {
    *("facefusion_operations", "catalog_imports", "host_checks", "migrations", "locks"),
    *("template_preprocessing", "batch_tasks", "face_measures"),
}
NEVER_TEXT = {"changed_at", "gone_at", "compared_at", "last_used_at", "not_before", "counted_at"}
"""Times that the app does not write; `OURS` are collections that it has never written to."""
LATER = {
    "images": {"expires_at"},
    "templates": {"updated_at"},
    "faceswap_tasks": {"lease_expires_at", "updated_at"},
}
"""Times that documents got after the migration, always as dates."""
DAY = datetime(2026, 1, 2, tzinfo=UTC)
TEXTS: dict[str, datetime] = {
    "2026-01-02T03:04:05Z": THEN,
    "2026-01-02T03:04:05": THEN,
    "2026-01-02 03:04:05": THEN,
    " 2026-01-02T03:04:05Z\n": THEN,
    "2026-01-02T03:04:05 Z": THEN,
    "2026-01-02T03:04:05+00:00": THEN,
    "2026-01-02T05:04:05+02:00": THEN,
    "2026-01-01T23:34:05-0330": THEN,
    "2026-01-02T05:04:05 +02:00": THEN,
    "2026-01-02T03:04": THEN.replace(second=0),
    "2026-01-02T03:04Z": THEN.replace(second=0),
    "2026-01-02T03:04:05.1Z": THEN + timedelta(milliseconds=100),
    "2026-01-02T03:04:05.678901": THEN + timedelta(milliseconds=678),
    "2026-01-02T05:04:05.678901+02:00": THEN + timedelta(milliseconds=678),
    "2026-01-02T03:04:05.123456789Z": THEN + timedelta(milliseconds=123),
    # Cut after milliseconds, never rounded up.
    "1969-12-31T23:59:59.9999Z": datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
    # As PostgreSQL and Python write them.
    "2026-01-02 03:04:05+00": THEN,
    "2026-01-02 05:04:05.678901+02": THEN + timedelta(milliseconds=678),
    "2026-01-02 08:34:05 +05:30": THEN,
    "2026-01-02 03:04:05.678901": THEN + timedelta(milliseconds=678),
    # Lower case, a decimal comma, the basic format.
    "2026-01-02t03:04:05z": THEN,
    "2026-01-02T03:04:05,678Z": THEN + timedelta(milliseconds=678),
    "20260102T030405Z": THEN,
    "20260102t0304": THEN.replace(second=0),
    "20260102T050405.6789+0200": THEN + timedelta(milliseconds=678),
    "20260102T050405+02": THEN,
    "2026-01-02": DAY,
    "1931-12-31": datetime(1931, 12, 31, tzinfo=UTC),
    "0001-01-01": datetime(1, 1, 1, tzinfo=UTC),
    "9999-12-31T23:59:59.999Z": datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
}
NO_TIMES = [
    *("", " ", "yesterday", "now", "2026-13-45", "2026-02-30", "2026-01-02T25:00:00"),
    *("2026-01-02T24:00:00", "2026-01-02T03:04:60Z", "2026-01-02T03:04:05+99:99"),
    *("2026-1-2", "02.01.2026", "01/02/2026", "20260102", "1735700000"),
    *("2026-01", "2026-W01-1", "2026-01-02T03", "2026-01-02T03:04:05Z and more", "0000-01-01"),
    *("2026-01-02T03:04:05+2", "2026-01-02T03:04:05+02:", "2026-01-02T03:04:05,Z"),
    *("20261302T030405Z", "20260102T030460Z", "20260102 030405", "2026-01-02Z"),
    *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "$created_at"),
]
OTHERS: list[Any] = [None, THEN, 1735700000, Int64(1), 1.5, True, ["2026-01-02"], {"$date": "x"}]


def add(database: Data, values: list[Any], field: str = "created_at") -> None:
    documents = [
        {"_id": n, "id": str(n), field: value, "last": 1} for n, value in enumerate(values)
    ]
    database["clips"].insert_many(documents)


def values(database: Data, field: str = "created_at") -> list[Any]:
    return [clip[field] for clip in database["clips"].find().sort("_id")]


def dated(model: type[BaseModel]) -> Iterator[str]:
    """Fields of a document that hold a time, as they are stored."""
    for name, field in model.model_fields.items():
        kinds = (
            get_args(field.annotation)
            if get_origin(field.annotation) in {Union, UnionType}
            else [field.annotation]
        )
        if datetime in kinds:
            yield field.alias or name


def test_the_migration_covers_every_time_that_the_app_stores() -> None:
    stored = {
        collection.name: {*dated(collection.document)}
        - NEVER_TEXT
        - LATER.get(collection.name, set())
        for collection in COLLECTIONS
        if collection.name not in OURS and not collection.app_owned
    }

    assert {name: {*times} for name, times in TIMES.items()} == {
        name: times for name, times in stored.items() if times
    }


def test_texts_become_the_moment_they_name(database: Data) -> None:
    add(database, [*TEXTS])

    go_up(database, 5)

    assert dict(zip(TEXTS, values(database), strict=True)) == TEXTS


def test_values_that_are_no_times_stay(database: Data) -> None:
    add(database, [*NO_TIMES, *OTHERS])
    database["characters"].insert_one({HISTORY: {"created_at": "2026-01-02"}})
    before = raw_documents(database)

    go_up(database, 5)

    assert raw_documents(database) == before


def test_texts_that_are_no_time_are_listed(database: Data) -> None:
    add(database, ["yesterday", "2026-01-02", "", None, THEN, "2026-13-45"])

    go_up(database, 5)

    what = "Texts in clips.created_at that are not times"
    assert unresolved(database, 5) == {what: ("0", "2", "5")}


def test_numbers_and_objects_are_listed(database: Data) -> None:
    add(database, [1735700000, 1.5, {"$date": "2026-01-02T03:04:05Z"}, THEN, True, ["2026-01-02"]])
    before = raw_documents(database)

    go_up(database, 5)

    assert raw_documents(database) == before
    assert unresolved(database, 5) == {
        "Numbers in clips.created_at, whose unit and zone are not known": ("0", "1"),
        "Objects in clips.created_at, such as a {$date} of an export": ("2",),
    }


@pytest.mark.parametrize("time", [1735700000, {"$date": "2026-01-02"}])
def test_a_history_of_numbers_or_objects_is_listed(database: Data, time: object) -> None:
    database["characters"].insert_one({"id": "mira", HISTORY: [{"id": "e", "created_at": time}]})

    what = "Characters with a history entry whose time cannot be read"
    assert unresolved(database, 5) == {what: ("mira",)}


def test_what_an_earlier_release_could_not_read_is_read_now_and_undone_exactly(
    database: Data,
) -> None:
    entries = [{"id": "e", "created_at": time} for time in ("2026-01-02", "2026-01-02 03:04:05+00")]
    database["characters"].insert_one({"id": "mira", HISTORY: entries})
    before = whole(database)
    read_in_part(database)
    assert by_id(database, "characters")["mira"][HISTORY][1] == entries[1]

    undo(database, 5)
    assert whole(database) == before
    go_up(database, 5)

    found = by_id(database, "characters")["mira"][HISTORY]
    assert [entry["created_at"] for entry in found] == [DAY, THEN]
    go_down(database, 5)
    assert whole(database) == before


def test_a_second_run_changes_nothing_and_undoing_gives_the_same_texts(database: Data) -> None:
    add(database, [*TEXTS, *NO_TIMES, *OTHERS])

    assert_reversible(database, 5)


def test_every_time_of_every_collection_is_read_and_nothing_else(database: Data) -> None:
    text = "2026-01-02T03:04:05Z"
    for collection, times in TIMES.items():
        database[collection].insert_one(
            {"_id": 1, "id": "x", **dict.fromkeys(times, text), "name": text}
        )

    move = go_up(database, 5)

    assert {name: by_id(database, name)["x"] for name in TIMES} == {
        name: {"_id": 1, "id": "x", **dict.fromkeys(times, THEN), "name": text}
        for name, times in TIMES.items()
    }
    assert sum(move.counts.values()) == sum(map(len, TIMES.values()))


def test_times_of_history_entries_are_read(any_database: Data) -> None:
    entries = [{"a": 1, "created_at": time, "id": "e"} for time in ("2026-01-02", THEN)]
    any_database["characters"].insert_one({"id": "mira", HISTORY: entries, "last": 1})
    before = whole(any_database)

    go_up(any_database, 5)

    found = by_id(any_database, "characters")["mira"][HISTORY]
    assert [entry["created_at"] for entry in found] == [DAY, THEN]
    assert list(found[0]) == ["a", "created_at", "id"]
    assert unresolved(any_database, 5) == {}
    go_down(any_database, 5)
    assert whole(any_database) == before


UNREADABLE: list[Any] = [
    *({"id": "x", "created_at": time} for time in ("soon", "", None, 1735700000, ["2026-01-02"])),
    *({"id": "x"}, None, 7, "2026-01-02", ["2026-01-02"]),
]


@pytest.mark.parametrize("entry", UNREADABLE, ids=repr)
def test_a_history_with_an_entry_that_cannot_be_read_is_left_and_listed(
    database: Data, entry: object
) -> None:
    text = {"id": "e", "created_at": "2026-01-02"}
    database["characters"].insert_one({"id": "mira", HISTORY: [text, entry]})
    before = raw_documents(database)

    go_up(database, 5)

    assert raw_documents(database) == before
    what = "Characters with a history entry whose time cannot be read"
    assert unresolved(database, 5) == {what: ("mira",)}


def test_a_history_that_an_earlier_release_read_in_part_is_restored(database: Data) -> None:
    texts = [{"id": "e", "created_at": time} for time in ("2026-01-02", "soon")]
    database["characters"].insert_one({"id": "mira", HISTORY: texts})
    before = raw_documents(database)
    read_in_part(database)
    assert by_id(database, "characters")["mira"][HISTORY][0]["created_at"] == DAY

    go_up(database, 5)
    go_down(database, 5)

    assert raw_documents(database) == before


def test_a_time_that_was_written_since_stays(database: Data) -> None:
    add(database, ["2026-01-02"])
    database["clips"].update_one({}, {"$set": {"updated_at": "2026-01-02"}})
    later = {"$set": {"updated_at": THEN}}

    up_and_down(database, 5, lambda: database["clips"].update_one({}, later))

    clip = {"_id": 0, "id": "0", "created_at": "2026-01-02", "last": 1, "updated_at": THEN}
    assert by_id(database, "clips")["0"] == clip


def test_a_text_that_the_app_writes_later_is_read_by_the_next_run(database: Data) -> None:
    add(database, ["2026-01-02"])
    go_up(database, 5)
    database["clips"].update_one({}, {"$set": {"created_at": "2026-01-02T03:04:05"}})

    go_up(database, 5)

    assert values(database) == [THEN]


def test_a_view_in_the_place_of_a_collection_is_left_alone(database: Data) -> None:
    database["comfyui_servers"].insert_one({"_id": 1, "last_check": "2026-01-02"})
    database.create_collection("backends", viewOn="comfyui_servers", pipeline=[])

    go_up(database, 5)

    found = database["comfyui_servers"].find_one() or {}
    assert found["last_check"] == DAY


def test_a_document_without_room_for_a_note_is_left_and_listed(database: Data) -> None:
    entries = [{"created_at": "2026-01-02", "parameters": "x" * 1_000_000} for _ in range(8)]
    large = {"_id": 1, HISTORY: entries}
    database["characters"].insert_one(large)

    go_up(database, 5)

    assert database["characters"].find_one() == large
    [(what, ids)] = unresolved(database, 5).items()
    assert (what.startswith("Documents of characters too large"), ids) == (True, ("1",))
