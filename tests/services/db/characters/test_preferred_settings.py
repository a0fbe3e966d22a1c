"""Settings are learned from the newest operations and written where the old values are there."""

from datetime import timedelta
from typing import Any

import pytest

from db.characters import CharacterRepository
from db.errors import BrokenCharacter, DocumentKeepsChanging, UnknownCharacter, UnknownDocument
from db.gallery_outcomes import Outcome
from db.ledger import record_operation
from db.preferred_settings import (
    MAX_ENTRIES,
    SETTINGS,
    Settings,
    WrittenSettings,
    in_gallery_of,
    newest_entries,
    read_gallery_history,
    write_settings,
)
from db.schema.documents.faces import GalleryEffect, OperationRecord
from db.setup.apply import initialise
from tests.support.db.database_state import Data
from tests.support.db.mongosh import run_line
from tests.support.db.records import CHARACTER, NOW, character, output, record

RECORDS = 10_000
MODEL, BLEND = "enhancement_model", "face_enhancer_blend"


def made(
    key: str, *, age: int | None = None, seconds: int = 0, of: str = CHARACTER
) -> OperationRecord:
    gallery = "enhanced_faces" if age is None else "age_variants"
    effect = GalleryEffect(id=key, character_id=of, gallery=gallery, age=age, url=f"{key}.png")
    at = NOW + timedelta(seconds=seconds)
    return record(key, output=output(key), effects=[effect], created_at=at)


def recorded(database: Data, *records: OperationRecord) -> None:
    for number, each in enumerate(records):
        record_operation(database, each, NOW + timedelta(seconds=number))


def stored(database: Data) -> dict[str, Any]:
    found = database["characters"].find_one({"id": CHARACTER})
    assert found
    return found


def all_fit(settings: Settings, wanted: Settings) -> Settings:  # noqa: ARG001 - what is stored
    return wanted


def write(database: Data, old: Settings, wanted: Settings) -> WrittenSettings:
    return write_settings(database, CHARACTER, old, wanted, all_fit, NOW)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("of_character", [RECORDS, RECORDS // 10], ids=["all", "a tenth"])
def test_the_newest_500_of_a_character_are_found_by_an_index_without_a_sort(
    database: Data, of_character: int
) -> None:
    initialise(database)
    share = RECORDS // of_character
    documents = [
        made(f"{n}", seconds=n, of=CHARACTER if n % share == 0 else "other").model_dump(
            by_alias=True
        )
        for n in range(RECORDS)
    ]
    database["facefusion_operations"].insert_many(documents)

    found = newest_entries(database, CHARACTER)

    newest = [f"{n}.png" for n in range(RECORDS - 1, -1, -1) if n % share == 0][:MAX_ENTRIES]
    assert [entry.pictures[0].url for entry in found] == newest
    explained = database.command(
        "explain",
        {
            "find": "facefusion_operations",
            "filter": in_gallery_of(CHARACTER),
            "sort": {"created_at": -1},
            "limit": MAX_ENTRIES,
        },
        verbosity="executionStats",
    )
    assert explained["executionStats"]["totalDocsExamined"] == MAX_ENTRIES
    assert "'SORT'" not in str(explained["queryPlanner"]["winningPlan"])


def test_pictures_are_kept_or_removed_by_what_the_gallery_holds(database: Data) -> None:
    database["characters"].insert_one(character())
    recorded(database, *(made(key, seconds=n) for n, key in enumerate(["a", "b", "c"])))
    database["characters"].update_one(
        {}, {"$pull": {"facefusion_output_gallery.enhanced_faces": "b.png"}}
    )

    history = read_gallery_history(database, CHARACTER)

    assert [outcome for _, outcome in history.entries] == [
        Outcome.KEPT,
        Outcome.REMOVED,
        Outcome.KEPT,
    ]
    assert (history.settings, history.missing) == ({}, ())


def test_an_age_that_shows_an_operation_older_than_the_newest_was_not_removed(
    database: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    database["characters"].insert_one(character())
    recorded(database, made("old", age=45, seconds=0), made("new", age=45, seconds=9))
    CharacterRepository(database).set_age_variant(CHARACTER, 45, "old.png", NOW)
    monkeypatch.setattr(
        "db.preferred_settings.newest_entries", lambda *_: newest_entries(database, CHARACTER, 1)
    )

    [(_, outcome)] = read_gallery_history(database, CHARACTER).entries

    assert outcome is Outcome.REPLACED


@pytest.mark.parametrize("fields", [{"deleted_at": NOW}, {"id": "other"}])
def test_a_character_that_is_not_there_is_refused(database: Data, fields: dict[str, Any]) -> None:
    database["characters"].insert_one(character() | fields)

    with pytest.raises(UnknownCharacter, match=CHARACTER):
        read_gallery_history(database, CHARACTER)


@pytest.mark.parametrize(
    "fields", [{SETTINGS: "text"}, {SETTINGS: []}, {"facefusion_output_gallery": []}]
)
def test_a_field_of_a_wrong_type_is_named(database: Data, fields: dict[str, Any]) -> None:
    database["characters"].insert_one(character(**fields))

    with pytest.raises(BrokenCharacter, match=next(iter(fields))):
        read_gallery_history(database, CHARACTER)


@pytest.mark.parametrize("fields", [{}, {"facefusion_output_gallery": None, SETTINGS: None}])
def test_a_gallery_that_is_not_there_says_nothing_about_its_pictures(
    database: Data, fields: dict[str, Any]
) -> None:
    database["characters"].insert_one(character())
    recorded(database, made("a"))
    database["characters"].replace_one({}, character(**fields))

    history = read_gallery_history(database, CHARACTER)

    assert [outcome for _, outcome in history.entries] == [Outcome.UNKNOWN]
    assert history.missing == ("enhanced_faces",)


@pytest.mark.parametrize(
    "before",
    [
        {},
        {SETTINGS: None},
        {SETTINGS: {}},
        {SETTINGS: {BLEND: 0.4, MODEL: "gfpgan_1.4", "of the app": {"x": [NOW]}}},
    ],
)
def test_written_settings_are_undone_by_the_line_of_the_report(
    any_database: Data, before: dict[str, Any]
) -> None:
    any_database["characters"].insert_one(character(**before))
    was = stored(any_database)
    old = before.get(SETTINGS) or {}

    done = write(any_database, old, {MODEL: "codeformer", BLEND: 0.7})

    changed = stored(any_database)
    assert changed[SETTINGS] == {**old, MODEL: "codeformer", BLEND: 0.7}
    assert changed["updated_at"] == NOW
    assert (done.written, done.left) == ((MODEL, BLEND), ())
    assert run_line(any_database, done.undo) == 1
    assert stored(any_database) == {**was, "updated_at": NOW}


def test_a_setting_that_changed_meanwhile_is_left_and_the_others_are_written(
    database: Data,
) -> None:
    read = {MODEL: "gfpgan_1.4", BLEND: 1.0}
    database["characters"].insert_one(character(**{SETTINGS: {MODEL: "gpen_bfr_256", BLEND: 1.0}}))

    done = write(database, read, {MODEL: "codeformer", BLEND: 0.7})

    assert stored(database)[SETTINGS] == {MODEL: "gpen_bfr_256", BLEND: 0.7}
    assert (done.written, done.left) == ((BLEND,), (MODEL,))


def test_a_change_between_reading_and_writing_is_seen(database: Data) -> None:
    database["characters"].insert_one(character(**{SETTINGS: {MODEL: "gfpgan_1.4"}}))
    saved = iter([{SETTINGS: {MODEL: "gpen_bfr_256", BLEND: 1.0}}])

    def fitting(settings: Settings, wanted: Settings) -> Settings:  # noqa: ARG001 - as stored
        if change := next(saved, None):  # the app saves while the run decides
            database["characters"].update_one({"id": CHARACTER}, {"$set": change})
        return wanted

    wanted = {MODEL: "codeformer"}
    done = write_settings(database, CHARACTER, {MODEL: "gfpgan_1.4"}, wanted, fitting, NOW)

    assert stored(database)[SETTINGS] == {MODEL: "gpen_bfr_256", BLEND: 1.0}
    assert (done.written, done.left, done.undo) == ((), (MODEL,), "")


def test_settings_of_another_type_by_then_are_left(database: Data) -> None:
    database["characters"].insert_one(character(**{SETTINGS: "text"}))

    assert write(database, {}, {MODEL: "codeformer"}).left == (MODEL,)
    assert stored(database)[SETTINGS] == "text"


def test_writing_again_changes_nothing(database: Data) -> None:
    database["characters"].insert_one(character())
    write(database, {}, {MODEL: "codeformer"})
    first = stored(database)

    done = write(database, {}, {MODEL: "codeformer"})

    assert (done.written, done.undo, stored(database)) == ((MODEL,), "", first)


def test_a_character_that_was_deleted_meanwhile_is_not_changed(database: Data) -> None:
    database["characters"].insert_one(character(deleted_at=NOW))

    with pytest.raises(UnknownDocument, match="has been deleted"):
        write(database, {}, {MODEL: "codeformer"})

    assert SETTINGS not in stored(database)


def test_a_document_that_changes_each_time_ends_with_a_sentence(database: Data) -> None:
    database["characters"].insert_one(character())

    def fitting(settings: Settings, wanted: Settings) -> Settings:
        number = settings.get("n", 0) + 1
        database["characters"].update_one({}, {"$set": {SETTINGS: {"n": number}}})
        return wanted

    with pytest.raises(DocumentKeepsChanging, match="start the run again"):
        write_settings(database, CHARACTER, {}, {MODEL: "codeformer"}, fitting, NOW)
