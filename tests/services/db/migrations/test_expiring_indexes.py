"""Documents that a TTL index would remove once a migration makes dates of their texts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import DatetimeMS

from db.audit.audit import audit
from db.errors import DocumentsWouldExpire
from db.migrations.engine.migrator import Migrator
from db.setup.apply import initialise
from db.setup.expiry import ExpiringIndex, expiring_indexes
from tests.support.db.database_state import Data
from tests.support.db.made_migrations import NOTES, adds_field
from tests.support.db.migrating import every_migration, migration, raw_documents, statuses

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(hours=2), NOW - timedelta(minutes=5)
HOUR = 3600
SLEEPING = (
    "Index created_at_1 of projects removes documents 3600 s after created_at: 0 today, and 10 "
    "more if their texts were dates"
)


def migrator(database: Data, *, keep_ttl: bool = False) -> Migrator:
    return Migrator(database, "a test", every_migration(), keep_ttl=keep_ttl)


@pytest.fixture
def sleeping(database: Data) -> Data:
    """Ten projects with texts for times, under an index that removes after an hour."""
    database["projects"].create_index("created_at", expireAfterSeconds=HOUR)
    database["projects"].insert_many(
        {"_id": number, "id": str(number), "created_at": f"2025-01-02T03:04:0{number}Z"}
        for number in range(10)
    )
    return database


def test_a_migration_that_would_wake_an_index_is_refused_with_the_index_named(
    sleeping: Data,
) -> None:
    before = raw_documents(sleeping)

    with pytest.raises(DocumentsWouldExpire) as refused:
        migrator(sleeping).apply()

    assert f"{SLEEPING}; migration 5 (dates) may change that field." in str(refused.value)
    assert str(refused.value).endswith("Drop the index, or say keep_ttl.")
    assert raw_documents(sleeping) == before
    assert statuses(sleeping) == {}
    assert sleeping["locks"].count_documents({}) == 0


def test_it_is_carried_out_once_the_index_is_dropped_or_its_removals_are_wanted(
    sleeping: Data,
) -> None:
    assert migrator(sleeping).apply("4").moves
    migrator(sleeping, keep_ttl=True).apply("5")
    assert statuses(sleeping)[5] == "applied"
    with pytest.raises(DocumentsWouldExpire, match="created_at_1 of projects"):
        migrator(sleeping).apply("4")

    sleeping["projects"].drop_index("created_at_1")

    migrator(sleeping).apply("0")
    assert sleeping["projects"].count_documents({"created_at": {"$type": "string"}}) == 10


def test_a_dry_run_names_the_index_and_changes_nothing(sleeping: Data) -> None:
    report = migrator(sleeping).dry_run()

    assert report.expiring == (f"{SLEEPING}; migration 5 (dates) may change that field",)
    assert statuses(sleeping) == {}


def test_old_documents_of_the_app_are_mended_again_only_without_such_an_index(
    database: Data,
) -> None:
    migrator(database).apply()
    database["clips"].create_index("updated_at", expireAfterSeconds=HOUR)
    assert migrator(database).apply().moves == ()
    database["clips"].insert_one({"_id": 1, "updated_at": "2025-01-02"})

    with pytest.raises(DocumentsWouldExpire, match="updated_at_1 of clips removes"):
        migrator(database).apply()

    assert database["clips"].find_one() == {"_id": 1, "updated_at": "2025-01-02"}


@pytest.mark.parametrize(
    ("collection", "field", "number"),
    [
        ("characters", "facefusion_processing_history.created_at", 1),
        ("clips", "length", 3),
        ("users", "created_at", 4),
        ("faceswap_tasks", "completed_at", 5),
        ("database_models", "last_synced_at", 6),
        ("inference_configurations", "any", 6),
        ("users", "created_at", 7),
        ("characters", "facefusion_processing_history", 8),
        ("style_templates", "params.until", 9),
    ],
)
def test_every_migration_that_may_write_a_time_is_refused(
    database: Data, collection: str, field: str, number: int
) -> None:
    database[collection].create_index(field, expireAfterSeconds=HOUR)
    only = Migrator(database, "a test", [migration(number)])

    with pytest.raises(DocumentsWouldExpire):
        only.apply()


def test_an_index_on_a_field_that_no_migration_changes_blocks_none(database: Data) -> None:
    database["projects"].create_index("seen_at", expireAfterSeconds=HOUR)
    database["sessions"].create_index("created_at", expireAfterSeconds=HOUR)

    assert migrator(database).apply().moves


def test_a_migration_that_does_not_declare_what_it_changes_may_change_any_field(
    database: Data,
) -> None:
    database["elsewhere"].create_index("seen_at", expireAfterSeconds=HOUR)
    undeclared = Migrator(database, "a test", [adds_field(1)])

    with pytest.raises(DocumentsWouldExpire, match="elsewhere"):
        undeclared.apply()

    declared = replace(adds_field(1), changes={NOTES: ("added_1",)})
    assert Migrator(database, "a test", [declared]).apply().moves


@pytest.mark.parametrize(
    ("stored", "due", "asleep"),
    [
        (OLD, 1, 0),
        (YOUNG, 0, 0),
        ([YOUNG, OLD], 1, 0),
        (DatetimeMS(-(2**60)), 1, 0),
        (OLD.isoformat(), 0, 1),
        (YOUNG.isoformat(), 0, 0),
        (["x", OLD.isoformat()], 0, 1),
        ([], 0, 0),
        ("yesterday", 0, 0),
        (None, 0, 0),
        (1, 0, 0),
    ],
    ids=repr,
)
def test_what_an_index_would_remove_today(
    database: Data, stored: object, due: int, asleep: int
) -> None:
    database["any"].create_index("at", expireAfterSeconds=HOUR)
    database["any"].insert_one({"at": stored})

    [found] = expiring_indexes(database, NOW)

    assert (found.due, found.asleep) == (due, asleep)


def test_every_collection_is_looked_at_and_indexes_without_expiry_are_none(database: Data) -> None:
    database["one"].create_index("a.b", expireAfterSeconds=0, name="first")
    only: dict[str, Any] = {"partialFilterExpression": {"kind": "x"}}
    database["two"].create_index("at", expireAfterSeconds=HOUR, **only)
    database["two"].insert_many([{"at": OLD, "kind": "x"}, {"at": OLD, "kind": "y"}])
    database["three"].create_index([("a", 1), ("b", 1)])
    database.create_collection("view", viewOn="two")

    assert expiring_indexes(database, NOW) == (
        ExpiringIndex(collection="one", name="first", field="a.b", seconds=0),
        ExpiringIndex(collection="two", name="at_1", field="at", seconds=HOUR, due=1),
    )


def test_init_db_and_audit_db_name_every_such_index(sleeping: Data) -> None:
    sleeping["projects"].insert_one({"_id": 10, "created_at": OLD})

    lines = [*initialise(sleeping, dry_run=True).lines()]
    [found] = audit(sleeping, datetime.now(UTC)).of("expiring index")

    named = SLEEPING.replace("0 today", "1 today")
    assert f"{named}." in lines
    assert (found.subject, found.count, found.severity) == (named, 11, "warning")


def test_an_index_of_the_registry_is_named_by_init_db_and_is_no_finding(database: Data) -> None:
    initialise(database)

    named = [line for line in initialise(database).lines() if "removes documents" in line]
    assert len(named) == 1
    assert named[0].startswith("Index checked_at_1 of host_checks removes documents")
    assert audit(database, NOW).of("expiring index") == ()
