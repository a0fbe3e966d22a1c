"""The flows delete-story, restore-story and list-deleted: a project goes into the bin and back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from db.errors import ParentDeleted, UnknownDocument
from flows.delete_story import delete_story
from flows.list_deleted import list_deleted
from flows.purge_deleted import purge_deleted
from flows.restore_story import restore_story
from tests.support.flows.runs import shown_by

Data = Database[dict[str, Any]]
PROJECT, OWNER = "story", "user-1"
WHOLE = {"projects": 1, "scenes": 3, "clips": 30}


@pytest.fixture
def configured(configured: Data) -> Data:
    """The environment names a database with a project of 3 scenes and 30 clips, and another."""
    for project in (PROJECT, "other"):
        configured["projects"].insert_one({"_id": project, "id": project, "name": "Mara"})
        scenes = [f"{project}-{number}" for number in range(3)]
        configured["scenes"].insert_many(
            [{"_id": id_, "id": id_, "project_id": project, "name": id_} for id_ in scenes]
        )
        configured["clips"].insert_many([*_clips(scenes)])
    return configured


def _clips(scenes: list[str]) -> Iterator[dict[str, Any]]:
    for number in range(30):
        own_id = f"{scenes[number % 3]}-{number}"
        yield {"_id": own_id, "id": own_id, "scene_id": scenes[number % 3], "order": number}


def stored(database: Data) -> dict[str, list[dict[str, Any]]]:
    """Every document but for the mark of what is there."""
    marks = {"deleted_at": None, "deleted_by": None}
    return {name: [{**marks, **each} for each in database[name].find()] for name in WHOLE}


def alive(database: Data) -> dict[str, int]:
    return {name: database[name].count_documents({"deleted_at": None}) for name in WHOLE}


def test_a_project_is_deleted_and_restored_with_the_same_counts(configured: Data) -> None:
    before = stored(configured)

    looked = delete_story(PROJECT)
    untouched = stored(configured)
    deleted = delete_story(PROJECT, by=OWNER, dry_run=False)
    left = alive(configured)
    purged = purge_deleted(older_than_days=1)
    foreseen = restore_story(PROJECT)
    restored = restore_story(PROJECT, by="user-2", dry_run=False)

    counts = [report.counts for report in (looked, deleted, foreseen, restored)]
    assert counts == [WHOLE] * 4
    assert [report.done for report in (looked, deleted, foreseen, restored)] == [0, 1, 0, 1]
    assert left == WHOLE
    assert sum(count.later for count in purged.counts) == 34
    assert untouched == stored(configured) == before
    found = purge_deleted(older_than_days=1)
    assert (found.due, sum(count.later for count in found.counts)) == (0, 0)
    assert restored.summary().endswith("1 project, 3 scenes, 30 clips restored by user-2.")


def test_the_counts_are_shown_before_and_after(configured: Data) -> None:
    state = delete_story(PROJECT, dry_run=False, return_state=True)

    name, artifacts = shown_by(state)
    before, after = artifacts["delete-story"]
    assert name == "delete-story story"
    assert "1 project, 3 scenes, 30 clips will be deleted" in before.description
    assert "30 clips deleted" in after.description
    assert state.message == state.result().summary()
    assert configured["clips"].count_documents({"deleted_at": None}) == 30


def test_the_bin_has_a_row_a_deletion_with_who_and_how_long(configured: Data) -> None:
    delete_story("story-1", "scenes", by=OWNER, dry_run=False)
    delete_story(PROJECT, dry_run=False)
    long_ago = datetime.now(UTC) - timedelta(days=20, hours=1)
    configured["characters"].insert_one({"id": "mira", "name": "M", "deleted_at": long_ago})
    configured["clips"].insert_one({"id": "odd", "deleted_at": "yesterday"})

    state = list_deleted(return_state=True)

    report = state.result()
    rows = [(each.document_id, each.together, each.days_left) for each in report.documents]
    assert rows == [
        (PROJECT, {"projects": 1, "scenes": 2, "clips": 20}, 30),
        ("story-1", {"scenes": 1, "clips": 10}, 30),
        ("mira", {"characters": 1}, 10),
        ("odd", {"clips": 1}, None),
    ]
    assert [each.deleted_by for each in report.documents] == ["", OWNER, "", ""]
    assert report.counts == {"projects": 1, "scenes": 3, "clips": 31, "characters": 1}
    _, artifacts = shown_by(state)
    assert "never: no time that can be read" in artifacts["list-deleted"][0].data
    assert [each.days_left for each in list_deleted(older_than_days=5).documents][2] == 0
    again = [each.document_id for each in list_deleted(older_than_days=5).documents]
    assert again == [PROJECT, "story-1", "mira", "odd"]


def test_what_cannot_be_done_is_refused_also_by_a_look(configured: Data) -> None:
    delete_story(PROJECT, by=OWNER, dry_run=False)
    before = stored(configured)

    for dry_run in (True, False):
        with pytest.raises(ParentDeleted, match="restore that one first"):
            restore_story("story-1", "scenes", dry_run=dry_run)
        with pytest.raises(UnknownDocument, match="no 'nothing' in clips"):
            delete_story("nothing", "clips", dry_run=dry_run)

    again = delete_story(PROJECT, by="user-2", dry_run=False)
    assert f"by {OWNER}: nothing is to be done." in again.summary()
    nothing = restore_story("other", dry_run=False)
    assert nothing.summary() == (
        "'other' of projects (Mara), which is not deleted: nothing is to be done."
    )
    assert stored(configured) == before
