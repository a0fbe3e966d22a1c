"""Databases that no app of ours wrote: unreadable values, and a name in another spelling."""

from datetime import timedelta
from typing import Any

import pytest
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from pymongo import IndexModel
from pymongo.errors import OperationFailure

from db.audit.audit import audit
from db.connection import connect
from db.couple_import.csv_source import CsvSource
from db.couple_import.run import import_tables
from db.errors import DatabaseNameTaken
from db.inference.seed import seed_inference
from db.schema.collections import COLLECTIONS
from db.setup.apply import initialise
from db.soft_delete.purge import Purge
from deployments.story_database import update_sentences
from tests.support.db.database_state import Data, shape
from tests.support.db.fixtures import as_user
from tests.support.db.migrating import raw_documents
from tests.support.db.odd_documents import Broken, insert, raw
from tests.support.db.stored_documents import NOW
from tests.support.paths import COUPLE_SAMPLES

BROKEN_TEXT = b"\x10\x00\x00\x00\x02id\x00\x03\x00\x00\x00\xff\xfe\x00\x00"
"""A document whose `id` is the bytes FF FE, which are not UTF-8."""
YEAR_14645 = DatetimeMS(400_000_000_000_000)


@pytest.mark.parametrize(
    ("id_", "shown"),
    [(None, "id = '\ufffd\ufffd'"), (YEAR_14645, "id = DatetimeMS(400000000000000)")],
    ids=["invalid UTF-8", "the year 14645"],
)
def test_duplicates_of_a_value_that_python_cannot_read_are_listed(
    database: Data, id_: DatetimeMS | None, shown: str
) -> None:
    for _ in range(2):
        document: Any = {"id": id_} if id_ else RawBSONDocument(BROKEN_TEXT)
        database["projects"].insert_one(document)

    for dry_run in (True, False):
        report = initialise(database, dry_run=dry_run)

        [blocked] = report.blocked
        assert [str(duplicates).partition(" in ")[0] for duplicates in blocked.duplicates] == [
            shown
        ]
    assert len(audit(database, NOW).of("blocked index")) == 1


INDEXES = next(each for each in COLLECTIONS if each.name == "civitai_models").indexes


def test_models_and_users_that_python_cannot_read_keep_no_others_from_being_seeded(
    database: Data,
) -> None:
    """Of a text that is not UTF-8 only a part is read, so no new document names it."""
    broken = Broken(b"a\xff")
    active = [("is_active", True), ("base_model", "SDXL 1.0")]
    insert(
        database,
        "database_models",
        raw(("_id", 1), ("id", broken), *active),
        raw(("_id", 2), ("id", "odd"), ("name", broken), *active),
    )
    insert(database, "inference_configurations", raw(("model_id", "odd"), ("preset_type", broken)))

    report = seed_inference(database)

    assert report.unknown_count == 1
    assert {*database["inference_configurations"].distinct("model_id")} == {"odd"}


def test_users_that_python_cannot_read_do_not_end_an_import(database: Data) -> None:
    insert(
        database,
        "users",
        raw(("_id", 1), ("id", "a"), ("email", Broken(b"A\xff@x")), ("created_at", YEAR_14645)),
        raw(("_id", 2), ("id", Broken(b"b\xff")), ("legacy_id", 1), ("email", "MIRA@EXAMPLE.ORG")),
    )
    before = raw_documents(database)["users"]

    for dry_run in (True, False):
        report = import_tables(database, CsvSource(COUPLE_SAMPLES), dry_run=dry_run)

    assert report.tables
    assert [raw for raw in before if raw not in raw_documents(database)["users"]] == []


TOO_MANY = [f"field_{number}" for number in range(62)]


def test_what_the_server_would_refuse_is_named_by_the_audit_and_left_by_init_db(
    any_database: Data,
) -> None:
    any_database["projects"].create_indexes([IndexModel(field) for field in TOO_MANY])
    lists = {"scene_id": ["a", "b"], "order": [1, 2]}
    any_database["clips"].insert_one({"_id": 7, "id": "c", **lists})
    users = [{"id": [n, n + 1], "username": str(n), "email": str(n)} for n in range(2)]
    any_database["users"].insert_many(users)
    foreseen = audit(any_database, NOW).of("blocked index")
    refused = {
        "id_1": "1 set(s) of documents share values that must be unique",
        "scene_id_1_order_1": "(_id 7), which MongoDB takes into no index together",
        "created_at_-1": "more than 64 indexes",
        "name_1": "more than 64 indexes",
        "deleted_at_1": "more than 64 indexes",
        "name_text_description_text": "more than 64 indexes",
    }

    report = initialise(any_database)

    assert {finding.name for finding in report.blocked} == refused.keys()
    assert all(refused[finding.name] in finding.reason for finding in report.blocked)
    assert {(each.subject, each.remedy) for each in foreseen} == {
        (finding.name, finding.reason) for finding in report.blocked
    }
    assert audit(any_database, NOW).of("missing index", "different index") == ()


KNOWN = ["none", "EN", "Norwegian", "tr"]
UNKNOWN = ["klingon", "", "en\n", "no", None, 7, [], ["en"], {"a": 1}, True]


def test_a_language_that_a_text_index_does_not_know_is_foreseen(database: Data) -> None:
    odd: list[dict[str, Any]] = [{"language": value} for value in UNKNOWN]
    odd += [{"modelVersions": each} for each in ({"language": "x"}, [{}, {"language": None}])]
    odd.append({"modelVersions": [{"language": "en"}, {"language": 5}]})
    fine: list[dict[str, Any]] = [
        {"language": value, "modelVersions": [{"language": value}]} for value in KNOWN
    ]
    fine += [{}, {"modelVersions": ["x"]}, {"creator": {"language": "klingon"}}]
    models = database["civitai_models"]
    for number, fields in enumerate([*odd, *fine]):
        models.insert_one({"_id": number, "id": number, "name": "a", "type": "LORA", **fields})
    models.create_index("type")
    name = next(index.name for index in INDEXES if index.weights)

    [foreseen] = audit(database, NOW).of("blocked index")
    [planned] = initialise(database, dry_run=True).blocked
    [blocked] = initialise(database).blocked

    assert (foreseen.subject, foreseen.remedy) == (name, blocked.reason) == (name, planned.reason)
    assert f"{len(odd)} document(s) have a language" in blocked.reason
    assert "(_id 0, 1, 2" in blocked.reason
    for number in range(len(odd)):
        with pytest.raises(OperationFailure) as refused:
            create_alone(database, models.find_one({"_id": number}))
        assert refused.value.code in {17261, 17262}
    models.delete_many({"_id": {"$lt": len(odd)}})
    assert initialise(database).blocked == ()


def create_alone(database: Data, document: dict[str, Any] | None) -> None:
    """Make the text index over one document, which shows what the server says of it."""
    alone = database["alone"]
    alone.drop()
    alone.insert_one(document or {})
    alone.create_index([("name", "text"), ("modelVersions.name", "text")])


@pytest.mark.parametrize("swapped", [False, True], ids=["a name taken", "two names swapped"])
def test_one_run_repairs_an_index_whose_name_another_of_the_registry_has(
    database: Data, swapped: bool
) -> None:
    initialise(database)
    before, projects = shape(database), database["projects"]
    for name in ("name_1", "created_at_-1"):
        projects.drop_index(name)
    projects.create_index([("created_at", -1)], name="name_1")
    if swapped:
        projects.create_index("name", name="created_at_-1")
    foreseen = initialise(database, dry_run=True).findings

    report = initialise(database)

    assert report.findings == foreseen
    assert {finding.name for finding in report.changed} == {"name_1", "created_at_-1"}
    assert report.blocked == ()
    assert shape(database) == before


def test_documents_with_values_that_python_cannot_read_do_not_end_a_purge(database: Data) -> None:
    old = {"deleted_at": NOW - timedelta(days=1)}
    database["projects"].insert_many([{"id": "story", **old}, {"id": YEAR_14645, **old}])
    database["scenes"].insert_one({"id": "s", "project_id": "story", "deleted_at": YEAR_14645})
    database["clips"].insert_one({"_id": YEAR_14645, **old})
    work = Purge(database, NOW, dry_run=False)

    work.count()
    report = work.remove()

    assert [str(kept) for kept in report.kept] == [
        "'story' of projects: 's' of scenes belongs to it and was deleted later."
    ]
    assert report.removed == 2
    assert database["projects"].distinct("id") == ["story"]


def test_a_name_that_differs_in_case_only_is_told_the_name_that_is_there(
    database: Data, mongo_url: str
) -> None:
    database["projects"].insert_one({"id": "1"})
    name = database.name.capitalize()

    with pytest.raises(DatabaseNameTaken, match=f"but '{database.name}', .* set DB_NAME"):
        connect(mongo_url, name)

    # The way of a user who may not list databases: the server refuses the first write.
    with pytest.raises(DatabaseNameTaken, match="set DB_NAME"):
        initialise(database.client.get_database(name, codec_options=database.codec_options))
    assert name not in database.client.list_database_names()


def test_a_user_who_may_read_and_write_brings_a_collection_back_with_its_validator(
    guarded_url: str,
) -> None:
    root, app = as_user(guarded_url, "root"), as_user(guarded_url, "app")
    initialise(root)
    complete = shape(root)

    app.drop_collection("facefusion_jobs")
    report = initialise(app, only_missing=True)
    assert [finding.name for finding in report.blocked] == []
    assert shape(root) == complete

    # The app has made it by its first document, so that it is there without a validator.
    app.drop_collection("projects")
    app["projects"].insert_one({"id": "p", "name": "P"})
    *_, told = update_sentences(initialise(app, only_missing=True))
    assert told.startswith("blocked: validator projects.validator: MongoDB refuses this user")
    assert told.endswith("run init-db once as a user who has the role dbAdmin, too.")
    assert {*shape(root)["projects"][2]} == {*complete["projects"][2]}

    initialise(root)
    assert shape(root) == complete
    for opened in (root, app):
        opened.client.close()
