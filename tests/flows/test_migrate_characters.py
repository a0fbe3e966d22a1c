"""The flow migrate-characters: its counts before and after, its progress and its name."""

from typing import Any

import pytest
from pymongo.database import Database

from db.migrations.versions.m0001_character_fields import FIELDS
from flows.migrate_characters import migrate_characters
from tests.support.flows.runs import shown_by

Data = Database[dict[str, Any]]
HISTORY, SETTINGS, GALLERY = FIELDS.rules
COMPLETE = {
    HISTORY: [],
    SETTINGS: {},
    GALLERY: {
        "enhanced_faces": ["a.png"],
        "age_variants": {"8": "b.png"},
        "swapped_faces": [],
        "edited_expressions": [],
        "custom_outputs": [],
    },
}


@pytest.fixture
def configured(configured: Data) -> Data:
    """The environment names a database with three characters, of which one is complete."""
    configured["characters"].insert_many(
        [{"id": "whole", **COMPLETE}, {"id": "bare"}, {"id": "half", HISTORY: [], GALLERY: None}]
    )
    return configured


def test_all_characters_are_repaired_counted_and_proved(
    configured: Data, caplog: pytest.LogCaptureFixture
) -> None:
    state = migrate_characters(return_state=True)

    report = state.result()
    name, artifacts = shown_by(state)
    table, progress = (
        artifacts[f"migrate-characters-{what}"][0] for what in ("report", "progress")
    )
    logged = [record.getMessage() for record in caplog.records]
    assert name == "migrate-characters"
    assert (report.before.total, report.before.complete) == (3, 1)
    assert report.before.with_field == {HISTORY: 2, SETTINGS: 1, GALLERY: 1}
    assert (report.after.total, report.after.complete) == (3, 3)
    assert report.after.with_field == {HISTORY: 3, SETTINGS: 3, GALLERY: 3}
    assert (table.type, table.description) == ("table", report.summary())
    assert (progress.type, progress.data) == ("progress", 100.0)
    assert f"with {GALLERY}: 1 before, 3 after" in logged
    assert "complete: 1 before, 3 after" in logged
    records = configured["migrations"].find()
    assert [(record["_id"], record["status"]) for record in records] == [(1, "applied")]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_character_with_an_invalid_value_is_not_called_complete(
    configured: Data, caplog: pytest.LogCaptureFixture, *, dry_run: bool
) -> None:
    blend = {"id": "blended", **COMPLETE, SETTINGS: {"face_enhancer_blend": 1.7}}
    configured["characters"].insert_one(blend)

    report = migrate_characters(dry_run=dry_run)

    told = f"Left to a person: {SETTINGS}.face_enhancer_blend is kept as it is (Input should be "
    logged = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [text for text in logged if text.startswith(told) and "blended has 1.7)" in text]
    assert report.after.complete == (1 if dry_run else 3)
    assert report.after.with_field[SETTINGS] == (1 if dry_run else 3)
    assert "invalid values that are kept: 1" in report.summary()


def test_a_dry_run_only_counts_and_a_repetition_repairs_what_came_since(configured: Data) -> None:
    migrate_characters()
    configured["characters"].insert_one({"id": "late"})
    before = list(configured["characters"].find())

    state = migrate_characters(dry_run=True, return_state=True)
    looked = state.result()
    assert shown_by(state)[0] == "migrate-characters (dry run)"
    assert list(configured["characters"].find()) == before
    assert (looked.before.complete, looked.after.complete) == (3, 3)
    assert set(looked.migration.moves[0].counts.values()) == {1}
    assert looked.summary().endswith("fields (dry run, nothing was changed).")

    repaired = migrate_characters()
    assert (repaired.before.complete, repaired.after.complete) == (3, 4)
