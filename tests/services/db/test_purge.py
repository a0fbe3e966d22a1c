"""Documents deleted long ago are removed for good, and nothing that still matters."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from db.schema.relations import SOFT_DELETABLE
from db.soft_delete.owned import children_first
from db.soft_delete.purge import BATCH, Purge
from db.soft_delete.report import MAX_EXAMPLES, PurgeReport
from db.soft_delete.repository import SoftDeletableRepository
from tests.support.db.database_state import Data
from tests.support.db.killed import killed, purge_story
from tests.support.db.stories import (
    EARLIER,
    INNER,
    LATER,
    NOW,
    OWNER,
    PROJECT,
    SCENE,
    STORY_IDS,
    WHOLE_STORY,
    add_story,
    snapshot,
)

OLD = {"deleted_at": EARLIER, "deleted_by": OWNER}
YOUNG = {"deleted_at": LATER, "deleted_by": OWNER}
ALL_OLD = dict.fromkeys(STORY_IDS, OLD)
ALIVE: dict[str, Any] = {"deleted_at": None}


def purge(database: Data) -> PurgeReport:
    work = Purge(database, NOW, dry_run=False)
    work.count()
    return work.remove()


def numbers(report: PurgeReport, field: str) -> dict[str, int]:
    counts = {count.collection: getattr(count, field) for count in report.counts}
    return {name: number for name, number in counts.items() if number}


def test_a_story_deleted_long_ago_is_removed_whole_and_nothing_else(any_database: Data) -> None:
    add_story(any_database)
    rest = {
        name: document for name, document in snapshot(any_database).items() if name not in STORY_IDS
    }
    SoftDeletableRepository(any_database, "projects").soft_delete(PROJECT, OWNER, EARLIER)

    report = purge(any_database)

    assert snapshot(any_database) == rest
    assert numbers(report, "due") == numbers(report, "removed") == WHOLE_STORY
    assert purge(any_database).due == 0


def test_counting_reports_what_is_due_and_removes_nothing(database: Data) -> None:
    add_story(database, ALL_OLD)
    before = snapshot(database)

    report = Purge(database, NOW, dry_run=True).count()

    assert snapshot(database) == before
    assert numbers(report, "due") == WHOLE_STORY
    assert report.removed == 0
    assert [count.collection for count in report.counts] == ["face_measures", *children_first()]
    assert "clips: 2 would be removed." in report.lines()
    assert report.summary().endswith(
        "7 document(s) would be removed, 0 kept because of what they own."
    )


def test_every_collection_with_marks_is_purged(database: Data) -> None:
    for name in SOFT_DELETABLE:
        database[name].insert_many(
            [{"id": "old", **OLD}, OLD.copy(), {"id": "young", **YOUNG}, {"id": "alive"}]
        )

    report = purge(database)

    left = {name: [document["id"] for document in database[name].find()] for name in SOFT_DELETABLE}
    assert left == {name: ["young", "alive"] for name in SOFT_DELETABLE}
    assert numbers(report, "removed") == dict.fromkeys(SOFT_DELETABLE, 2)
    assert numbers(report, "later") == dict.fromkeys(SOFT_DELETABLE, 1)


def test_exactly_the_limit_is_not_before_it(database: Data) -> None:
    just_before = NOW - timedelta(milliseconds=1)
    database["clips"].insert_many(
        [{"id": "at", "deleted_at": NOW}, {"id": "before", "deleted_at": just_before}]
    )

    purge(database)

    assert [clip["id"] for clip in database["clips"].find()] == ["at"]


STAYS = [
    (ALIVE, "is not deleted", {"clips": 1}),
    (YOUNG, "was deleted later", {}),
    ({"deleted_at": "2020-01-01"}, "has a deleted_at that cannot be read", {}),
]


@pytest.mark.parametrize(("fields", "why", "not_deleted"), STAYS)
def test_a_remaining_document_keeps_all_its_owners(
    database: Data, fields: dict[str, Any], why: str, not_deleted: dict[str, int]
) -> None:
    add_story(database, {**ALL_OLD, "clip-inside": fields})
    counted = Purge(database, NOW, dry_run=True).count()

    report = purge(database)

    assert STORY_IDS & snapshot(database).keys() == {"clip-inside", INNER, SCENE, PROJECT}
    assert numbers(report, "kept") == {"scenes": 2, "projects": 1}
    assert numbers(report, "removed") == numbers(counted, "due")
    assert str(report.kept[0]) == (
        f"{INNER!r} of scenes: 'clip-inside' of clips belongs to it and {why}."
    )
    assert {str(kept).partition(": ")[2] for kept in report.kept[1:]} <= {
        f"{scene!r} of scenes belongs to it and is kept." for scene in (INNER, SCENE)
    }
    assert numbers(report, "not_deleted") == not_deleted


def test_a_document_below_two_deleted_documents_is_counted_once(database: Data) -> None:
    add_story(database, {**ALL_OLD, INNER: ALIVE})

    report = purge(database)

    assert numbers(report, "not_deleted") == {"scenes": 1}
    assert {SCENE, INNER, PROJECT} <= snapshot(database).keys()


def test_a_deletion_time_that_cannot_be_read_is_counted_and_left_alone(database: Data) -> None:
    strange: list[Any] = ["2020-01-01", 0, [EARLIER], {}]
    database["clips"].insert_many([{"deleted_at": value} for value in strange])

    report = purge(database)

    assert database["clips"].count_documents({}) == len(strange)
    assert (report.due, numbers(report, "unreadable")) == (0, {"clips": len(strange)})


@pytest.mark.parametrize(
    ("changed", "removed"),
    [
        ({PROJECT: {"id": "", **OLD}, "for-all": {"project_id": ""}}, 1),
        ({**ALL_OLD, SCENE: {"parent_scene_id": INNER, **OLD}}, len(STORY_IDS)),
    ],
    ids=["an empty id owns nothing", "scenes in a circle go together"],
)
def test_a_strange_story_is_purged(
    database: Data, changed: dict[str, dict[str, Any]], removed: int
) -> None:
    add_story(database, changed)

    report = purge(database)

    assert (report.removed, report.kept_count) == (removed, 0)


def test_what_was_measured_of_a_character_goes_with_it_and_not_before(database: Data) -> None:
    marks = {"old": OLD, "young": YOUNG, "alive": ALIVE}
    database["characters"].insert_many([{"id": name, **mark} for name, mark in marks.items()])
    measured = [{"_id": f"{name}-{n}", "character_id": name} for name in marks for n in (1, 2)]
    database["face_measures"].insert_many(measured)

    counted = Purge(database, NOW, dry_run=True).count()
    report = purge(database)

    due = {"face_measures": 2, "characters": 1}
    assert numbers(counted, "due") == numbers(report, "removed") == due
    assert sorted(database["face_measures"].distinct("character_id")) == ["alive", "young"]


def test_many_documents_go_in_batches(database: Data) -> None:
    scenes = BATCH + 1
    for name, field in (("scenes", "parent_scene_id"), ("clips", "scene_id")):
        database[name].create_index(field)
    database["projects"].insert_one({"id": PROJECT, **OLD})
    database["scenes"].insert_many(
        [{"id": f"s{number}", "project_id": PROJECT, **OLD} for number in range(scenes)]
    )
    database["clips"].insert_many(
        [{"id": f"c{number}", "scene_id": f"s{number}", **OLD} for number in range(scenes)]
    )

    report = purge(database)

    assert numbers(report, "removed") == {"clips": scenes, "scenes": scenes, "projects": 1}


def test_the_list_of_the_kept_is_bounded_and_counted(database: Data) -> None:
    count = MAX_EXAMPLES + 1
    database["projects"].insert_many([{"id": f"p{number}", **OLD} for number in range(count)])
    database["scenes"].insert_many([{"project_id": f"p{number}"} for number in range(count)])

    report = Purge(database, NOW, dry_run=True).count()

    assert (len(report.kept), report.kept_count, report.due) == (MAX_EXAMPLES, count, 0)


def test_a_child_added_after_the_count_keeps_its_owners(database: Data) -> None:
    add_story(database, ALL_OLD)
    work = Purge(database, NOW, dry_run=False)
    work.count()
    database["clips"].insert_one({"id": "late", "scene_id": SCENE})

    report = work.remove()

    assert {"late", SCENE, PROJECT} == snapshot(database).keys() & {"late", *STORY_IDS}
    assert numbers(report, "due")["projects"] == 1
    assert "projects" not in numbers(report, "removed")


@pytest.mark.parametrize("fatal", range(1, 7))
def test_a_killed_purge_leaves_no_child_without_parent_and_the_next_completes_it(
    mongo_url: str, database: Data, fatal: int
) -> None:
    add_story(database, ALL_OLD)
    assert killed(purge_story, mongo_url, database.name, fatal)
    half = snapshot(database).keys()
    assert PROJECT in half
    assert SCENE in half or not {INNER, "clip"} & half

    purge(database)

    assert not STORY_IDS & snapshot(database).keys()


def test_two_purges_at_once_remove_everything_once(database: Data) -> None:
    add_story(database, ALL_OLD)

    with ThreadPoolExecutor(2) as pool:
        reports = [*pool.map(purge, [database, database])]

    assert not STORY_IDS & snapshot(database).keys()
    assert sum(report.removed for report in reports) == len(STORY_IDS)
