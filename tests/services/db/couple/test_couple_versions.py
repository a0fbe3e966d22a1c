"""A couple face-swap database of any version becomes the same documents, and follows its app."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from db.couple_import import errors, versions
from db.couple_import.csv_source import CsvSource
from db.couple_import.postgres_source import PostgresSource
from db.couple_import.report import ImportReport
from db.couple_import.run import Processing, import_tables
from db.couple_import.tables import TABLES
from storycanvas.services.errors import PostgresUnusable
from tests.support.db.couple.versions import (
    FACES,
    MAPPINGS,
    VERSIONS,
    Row,
    Version,
    fill_postgres,
    rows_of,
    write_csv,
)
from tests.support.db.database_state import Data
from tests.support.db.killed import import_folder, killed
from tests.support.postgres import running_postgres

WORDS = {
    "first": versions.FIRST,
    "json tags": versions.BEFORE_LATER,
    "migrated": versions.MIGRATED,
    "made": versions.LATER,
}
EXPIRES = datetime(2026, 1, 3, 3, 4, 5, tzinfo=UTC)
DONE = {"status": "completed", "progress": 100, "result_image_id": 5, "processing_time": 2.5}
every_version = pytest.mark.parametrize("version", VERSIONS)
later_versions = pytest.mark.parametrize("version", ["migrated", "made"])


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of a real PostgreSQL, with its password."""
    password = uuid4().hex
    try:
        with running_postgres(password) as address:
            yield address.replace("@", f":{password}@")
    except PostgresUnusable as missing:
        pytest.skip(str(missing))


def new_database(server: str) -> str:
    name = f"couple_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as opened:
        opened.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{server.removesuffix('/postgres')}/{name}"


def stored(database: Data) -> dict[str, list[dict[str, Any]]]:
    found = {table.name: [*database[table.name].find(sort=[("_id", 1)])] for table in TABLES}
    return {**found, "users": [user | {"created_at": None} for user in found["users"]]}


def one(database: Data, collection: str, legacy_id: int) -> dict[str, Any]:
    [found] = database[collection].find({"legacy_id": legacy_id})
    return found


def load(database: Data, folder: Path, tables: dict[str, list[Row]]) -> ImportReport:
    return import_tables(database, CsvSource(write_csv(folder, "made", tables)))


def without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def with_values(document: Row) -> Row:
    return {name: value for name, value in document.items() if value is not None}


@every_version
def test_a_version_is_named_and_both_sources_become_the_same_documents(
    data: Data, server: str, tmp_path: Path, version: Version
) -> None:
    folder = write_csv(tmp_path, version)
    address = new_database(server)
    fill_postgres(address, folder, version)
    from_csv = import_tables(data, CsvSource(folder))
    documents = stored(data)
    for table in TABLES:
        data[table.name].delete_many({})

    from_postgres = import_tables(data, PostgresSource(address))

    assert from_postgres == from_csv
    assert stored(data) == documents
    assert (from_csv.version, from_csv.problems) == (WORDS[version], ())
    assert from_csv.created == sum(map(len, rows_of(version).values()))
    assert not any("Ignored" in note or "no file" in note for note in from_csv.notes)
    assert any(WORDS[version] in line for line in from_csv.lines())


@every_version
def test_a_second_import_changes_nothing(data: Data, tmp_path: Path, version: Version) -> None:
    source = CsvSource(write_csv(tmp_path, version))
    first = import_tables(data, source)
    before = stored(data)

    second = import_tables(data, source)

    assert stored(data) == before
    assert (second.created, second.merged, second.updated) == (0, 0, 0)
    assert (second.existing, second.notes) == (first.created, ())


@every_version
def test_every_version_is_stored_in_one_shape(data: Data, tmp_path: Path, version: Version) -> None:
    import_tables(data, CsvSource(write_csv(tmp_path, version)))

    template, task = one(data, "templates", 1), one(data, "faceswap_tasks", 1)
    images = {image["legacy_id"]: image for image in data["images"].find()}
    assert (template["title"], template["image_id"]) == ("Two at sea", images[3]["id"])
    assert template["category"] == "of 1900"
    assert task["template_id"] == template["id"]
    assert (task["husband_image_id"], task["wife_image_id"], task["result_image_id"]) == (
        *(images[1]["id"], images[2]["id"], images[5]["id"]),
    )
    assert [images[n]["tags"] for n in (1, 4, 5)] == [["a", "b, c"], [], []]
    assert [images[n]["metadata"] for n in (1, 5)] == [{"n": 1}, {}]
    names = {name for found in stored(data).values() for document in found for name in document}
    assert names.isdisjoint({"name", "image_metadata"})
    assert {*task, *template}.isdisjoint({"husband_photo_id", "wife_photo_id", "original_image_id"})


@later_versions
def test_what_the_later_version_added_is_kept(data: Data, tmp_path: Path, version: Version) -> None:
    import_tables(data, CsvSource(write_csv(tmp_path, version)))

    photo, faces = one(data, "images", 1), one(data, "template_preprocessing", 1)
    batch, task = one(data, "batch_tasks", 1), one(data, "faceswap_tasks", 2)
    first, second = one(data, "templates", 1), one(data, "templates", 2)
    assert (photo["image_type"], photo["storage_type"]) == ("photo", "temporary")
    assert (photo["expires_at"], photo["session_id"]) == (EXPIRES, "s-1")
    assert (faces["face_data"], faces["template_id"]) == (FACES, first["id"])
    assert faces["masked_image_id"] == one(data, "images", 4)["id"]
    assert (first["is_preprocessed"], first["male_face_count"]) == (True, 1)
    assert batch["template_ids"] == [first["id"], second["id"], 99]
    assert (batch["husband_photo_id"], batch["batch_id"]) == (photo["id"], "batch_1")
    assert (task["task_id"], task["batch_id"]) == ("task_2", "batch_1")
    assert (task["face_mappings"], task["use_preprocessed"]) == (MAPPINGS, False)
    assert one(data, "faceswap_tasks", 4)["face_mappings"] == []


def test_a_template_keeps_its_own_category(database: Data, tmp_path: Path) -> None:
    tables = rows_of("made")
    tables["templates"][0]["category"] = "at sea"

    load(database, tmp_path, tables)

    assert one(database, "templates", 1)["category"] == "at sea"


@pytest.mark.parametrize(
    ("processing", "status", "progress", "sentence"),
    [
        ("requeue", "pending", 0, "1 task processing in the app, without a result: each is now"),
        ("keep", "processing", 40, "1 task processing in the app, without a result: kept"),
    ],
)
def test_a_task_that_the_app_did_not_finish_waits_again_or_is_kept(
    database: Data,
    tmp_path: Path,
    processing: Processing,
    status: str,
    progress: int,
    sentence: str,
) -> None:
    source = CsvSource(write_csv(tmp_path, "made"))

    report = import_tables(database, source, processing=processing)

    task = one(database, "faceswap_tasks", 3)
    assert (task["status"], task["progress"]) == (status, progress)
    [note] = report.notes
    assert note.startswith(sentence)


def test_a_task_that_was_kept_waits_again_once_that_is_wanted(
    database: Data, tmp_path: Path
) -> None:
    source = CsvSource(write_csv(tmp_path, "made"))
    import_tables(database, source, processing="keep")

    report = import_tables(database, source, processing="requeue")

    assert one(database, "faceswap_tasks", 3)["status"] == "pending"
    assert (report.updated, len(report.notes)) == (1, 1)


@pytest.mark.parametrize("legacy_id", [2, 3])
def test_a_waiting_task_takes_over_the_apps_end(data: Data, tmp_path: Path, legacy_id: int) -> None:
    tables = rows_of("made")
    load(data, tmp_path, tables)
    tables["faceswap_tasks"][legacy_id - 1] |= DONE

    report = load(data, tmp_path, tables)

    task = one(data, "faceswap_tasks", legacy_id)
    assert (task["status"], task["progress"], task["processing_time"]) == ("completed", 100, 2.5)
    assert task["result_image_id"] == one(data, "images", 5)["id"]
    assert (report.updated, report.created, report.problem_count) == (1, 0, 0)
    assert load(data, tmp_path, tables).updated == 0


@pytest.mark.parametrize(
    "claim",
    [
        {"status": "processing", "claim_token": "t", "lease_expires_at": EXPIRES, "attempts": 1},
        {"status": "pending", "attempts": 1},
        {"status": "failed", "attempts": 1, "error_message": "No face."},
        {"status": "completed", "attempts": 1, "result_image_id": "ours"},
    ],
)
def test_what_was_claimed_here_is_left(
    database: Data, tmp_path: Path, claim: dict[str, Any]
) -> None:
    tables = rows_of("made")
    load(database, tmp_path, tables)
    database["faceswap_tasks"].update_one({"legacy_id": 2}, {"$set": claim})
    before = one(database, "faceswap_tasks", 2)
    tables["faceswap_tasks"][1] |= DONE

    report = load(database, tmp_path, tables)

    assert one(database, "faceswap_tasks", 2) == before
    assert (report.updated, report.problem_count) == (0, 0)


def test_the_next_run_updates_what_a_killed_run_left_out(
    mongo_url: str, database: Data, tmp_path: Path
) -> None:
    tables = rows_of("made")
    load(database, tmp_path, tables)
    for number in (1, 2):
        tables["faceswap_tasks"][number] |= DONE
    write_csv(tmp_path, "made", tables)

    assert killed(partial(import_folder, tmp_path), mongo_url, database.name, 2)

    assert load(database, tmp_path, tables).updated == 1
    assert [task["status"] for task in database["faceswap_tasks"].find().sort("legacy_id")] == [
        *("completed", "completed", "completed", "failed")
    ]


def test_a_cancelled_batch_and_faces_that_were_found_since_are_taken_over(
    data: Data, tmp_path: Path
) -> None:
    tables = rows_of("made")
    load(data, tmp_path, tables)
    tables["batch_tasks"][0] |= {"status": "failed", "completed_at": "2026-01-04 00:00:00"}
    tables["template_preprocessing"][1] |= {
        "preprocessing_status": "completed",
        "face_data": FACES,
        "faces_detected": 2,
    }

    assert load(data, tmp_path, tables).updated == 2

    assert one(data, "batch_tasks", 1)["status"] == "failed"
    faces = one(data, "template_preprocessing", 2)
    assert (faces["preprocessing_status"], faces["face_data"]) == ("completed", FACES)


def test_a_batch_that_is_counted_here_is_left(database: Data, tmp_path: Path) -> None:
    tables = rows_of("made")
    load(database, tmp_path, tables)
    counted = {"status": "processing", "completed_tasks": 1}
    database["batch_tasks"].update_one({}, {"$set": counted})
    tables["batch_tasks"][0]["status"] = "failed"

    assert load(database, tmp_path, tables).updated == 0

    assert one(database, "batch_tasks", 1)["completed_tasks"] == 1


@pytest.mark.parametrize("dry_run", [False, True])
def test_rows_that_an_earlier_import_brought_without_their_photos_are_mended(
    database: Data, tmp_path: Path, *, dry_run: bool
) -> None:
    source = CsvSource(write_csv(tmp_path, "made"))
    import_tables(database, source)
    wanted = stored(database)
    # An earlier import knew neither the later names nor what the later version added.
    forgotten = ("task_id", "batch_id", "face_mappings", "use_preprocessed")
    for task in database["faceswap_tasks"].find():
        earlier = without(task, *forgotten) | {"husband_image_id": None, "wife_image_id": None}
        database["faceswap_tasks"].replace_one({"_id": task["_id"]}, earlier)
    for template in database["templates"].find():
        earlier = without(template, "is_preprocessed") | {"image_id": None, "category": None}
        database["templates"].replace_one({"_id": template["_id"]}, earlier)
    damaged = stored(database)

    report = import_tables(database, source, dry_run=dry_run)

    tables = {table.table: table.updated for table in report.tables if table.updated}
    assert tables == {"templates": 2, "faceswap_tasks": 4}
    found = stored(database)
    if dry_run:
        assert found == damaged
        return
    assert [*map(with_values, found["templates"])] == [*map(with_values, wanted["templates"])]
    assert [*map(with_values, found["faceswap_tasks"])] == [
        *map(with_values, wanted["faceswap_tasks"])
    ]
    assert import_tables(database, source).updated == 0


def test_both_names_with_different_values_are_listed(database: Data, tmp_path: Path) -> None:
    tables = rows_of("made")
    for template, title in zip(tables["templates"], ["Two at sea", "Another"], strict=True):
        template["title"] = title
        template["image_id"] = template["original_image_id"]
    tables["templates"].append(tables["templates"][0] | {"id": 3, "title": None, "image_id": None})
    tables["templates"][2] |= {"original_image_id": None}

    report = load(database, tmp_path, tables)

    problems = [problem for problem in report.problems if problem.table == "templates"]
    assert "\n".join(map(str, problems)) == (
        "templates id 2: title 'Another' and name 'Two at home' are two names of one field; leave "
        "one of them out"
    )
    assert one(database, "templates", 1)["image_id"] == one(database, "images", 3)["id"]
    assert one(database, "templates", 3)["title"] == "Two at sea"


def test_a_relation_without_its_column_ends_the_import_and_all_are_named(
    database: Data, tmp_path: Path
) -> None:
    tables = rows_of("made")
    for name, lost in {
        "images": ["user_id"],
        "templates": ["original_image_id", "name"],
        "template_preprocessing": ["masked_image_id"],
        "batch_tasks": ["wife_photo_id"],
        "faceswap_tasks": ["husband_photo_id", "result_image_id", "batch_id"],
    }.items():
        tables[name] = [without(row, *lost) for row in tables[name]]

    with pytest.raises(errors.ColumnsMissing) as caught:
        load(database, tmp_path, tables)

    assert str(caught.value) == (
        "The file images.csv lacks user_id; the file templates.csv lacks image_id or "
        "original_image_id, title or name; the file template_preprocessing.csv lacks "
        "masked_image_id; the file batch_tasks.csv lacks wife_photo_id; the file "
        "faceswap_tasks.csv lacks batch_id, husband_image_id or husband_photo_id, "
        "result_image_id; nothing was imported."
    )
    assert database.list_collection_names() == []


@pytest.mark.parametrize(
    ("version", "renamed", "sentence"),
    [
        (
            *("made", {"name": "title"}),
            "has title of the app's first version beside original_image_id of the later",
        ),
        (
            *("first", {"title": "name"}),
            "has image_id of the app's first version beside name of the later",
        ),
    ],
)
def test_a_database_of_which_only_the_title_was_renamed_is_refused(
    database: Data, tmp_path: Path, version: Version, renamed: dict[str, str], sentence: str
) -> None:
    tables = rows_of(version)
    tables["templates"] = [
        {renamed.get(name, name): value for name, value in row.items()}
        for row in tables["templates"]
    ]
    folder = write_csv(tmp_path, version, tables)

    with pytest.raises(errors.NamesMixed, match=sentence):
        import_tables(database, CsvSource(folder))

    assert database.list_collection_names() == []


def test_a_task_of_a_batch_without_place_is_listed(database: Data, tmp_path: Path) -> None:
    tables = rows_of("made")
    tables["faceswap_tasks"][1]["batch_id"] = "batch_9"

    report = load(database, tmp_path, tables)

    assert [str(problem) for problem in report.problems] == [
        "faceswap_tasks id 2: batch_id batch_9 has no place in batch_tasks"
    ]


def test_a_dry_run_of_the_later_version_foresees_it(database: Data, tmp_path: Path) -> None:
    source = CsvSource(write_csv(tmp_path, "made"))

    foreseen = import_tables(database, source, dry_run=True)

    assert database.list_collection_names() == []
    assert foreseen.tables == import_tables(database, source).tables
    assert foreseen.notes == (
        "1 task processing in the app, without a result: each would be pending.",
    )
