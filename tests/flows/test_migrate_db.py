"""The flow migrate-db: its name, what it shows and returns, and how it refuses a target."""

from typing import Any

import pytest
from pymongo.database import Database

from db.errors import UnknownMigration
from flows.migrate_db import migrate_db
from tests.support.db.migrating import statuses
from tests.support.flows.runs import shown_by

Data = Database[dict[str, Any]]


@pytest.fixture
def configured(configured: Data) -> Data:
    """The environment names a database with a scene and a time that is none."""
    configured["scenes"].insert_one({"id": "inn", "created_at": "some day"})
    return configured


def test_a_run_shows_each_migration_its_progress_and_what_is_left_to_a_person(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    state = migrate_db(return_state=True)

    report = state.result()
    name, artifacts = shown_by(state)
    table, progress = artifacts["migrate-db-report"][0], artifacts["migrate-db-progress"][0]
    logged = [record.getMessage() for record in caplog.records]
    assert name == "migrate-db to latest"
    assert statuses(configured) == {move.number: "applied" for move in report.moves}
    assert (table.type, table.description) == ("table", report.summary())
    assert '"what": "scenes.deleted_at", "documents": 1' in str(table.data)
    assert (progress.type, progress.data) == ("progress", 100.0)
    assert progress.description == "Finished."
    assert "scenes: 1 of 1 documents." in logged
    assert [line for line in report.lines() if line not in logged] == []
    left = "Texts in scenes.created_at that are not times; correct or remove them (1: inn)"
    assert f"Left to a person: {left}." in logged
    record = configured["migrations"].find_one({"_id": 1}) or {}
    assert record["run_by"].endswith(", flow run migrate-db to latest")
    assert migrate_db().summary().endswith("nothing to migrate, it is at latest.")


def test_a_dry_run_to_a_number_says_so_in_its_name_and_writes_nothing(configured: Data) -> None:
    state = migrate_db(target=3, dry_run=True, return_state=True)

    report = state.result()
    name, artifacts = shown_by(state)
    assert name == "migrate-db to 3 (dry run)"
    assert [(move.number, move.direction) for move in report.moves] == [
        (1, "up"),
        (2, "up"),
        (3, "up"),
    ]
    assert "would be carried out to 3" in (artifacts["migrate-db-report"][0].description or "")
    assert configured.list_collection_names() == ["scenes"]


def test_accepting_shows_where_notes_are_removed_and_that_going_down_ends_there(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    state = migrate_db(accept=True, return_state=True)

    report = state.result()
    name, artifacts = shown_by(state)
    logged = [record.getMessage() for record in caplog.records]
    assert name == "migrate-db to latest, for good"
    assert report.accepted == {"scenes": 1}
    assert "scenes: undo notes were removed from 1 document." in logged
    assert (
        '"what": "scenes", "documents": 1, "migration": "undo notes", "direction": "accept"'
        in str(artifacts["migrate-db-report"][0].data)
    )
    assert report.summary().endswith(f"going down ends at {report.lowest}.")
    assert configured["scenes"].count_documents({"migration_undo": {"$exists": True}}) == 0
    assert migrate_db(target=0, return_state=True).is_failed()


def test_targets_that_are_none_end_in_one_sentence(configured: Data) -> None:
    state = migrate_db(target="9999", return_state=True)

    assert state.is_failed()
    assert "There is no migration '9999'; the target is 'latest' or a number" in (
        state.message or ""
    )
    with pytest.raises(UnknownMigration):
        state.result()
    assert configured.list_collection_names() == ["scenes"]


def test_a_ttl_index_that_a_migration_would_wake_refuses_the_run_and_warns_in_a_dry_run(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    configured["scenes"].create_index("created_at", expireAfterSeconds=3600)
    named = "Index created_at_1 of scenes removes documents 3600 s after created_at: 0 today; "

    assert migrate_db(dry_run=True).expiring
    state = migrate_db(return_state=True)

    assert any(
        record.getMessage().startswith(named) and record.levelname == "WARNING"
        for record in caplog.records
    )
    assert state.is_failed()
    assert named in (state.message or "")
    assert migrate_db(target=5, keep_ttl=True).moves
