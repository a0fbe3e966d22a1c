"""What was deleted long ago goes for good, and never anything that still matters."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database

from db.schema.relations import SOFT_DELETABLE
from db.soft_delete.owned import children_first
from db.soft_delete.purge import BATCH, Purge
from db.soft_delete.report import MAX_EXAMPLES, PurgeReport
from db.soft_delete.repository import SoftDeletableRepository
from tests.support.db.killed import killed, purge_story
from tests.support.db.stories import (
    EARLIER,
    INNER,
    LATER,
    NOW,
    OWNER,
    PROJECT,
    SCENE,
    WHOLE_STORY,
    add_story,
    snapshot,
)

Data = Database[dict[str, Any]]
OLD = {"deleted_at": EARLIER, "deleted_by": OWNER}
YOUNG = {"deleted_at": LATER, "deleted_by": OWNER}
STORY = {PROJECT, SCENE, INNER, "clip", "clip-inside", "mira", "ink"}
ALL_OLD = dict.fromkeys(STORY, OLD)
ALIVE: dict[str, Any] = {"deleted_at": None}


def purge(database: Data) -> PurgeReport:
    work = Purge(database, NOW, dry_run=False)
    work.count()
    return work.remove()


def numbers(report: PurgeReport, field: str) -> dict[str, int]:
    told = {count.collection: getattr(count, field) for count in report.counts}
    return {name: number for name, number in told.items() if number}


def test_a_story_deleted_long_ago_goes_whole_and_nothing_else(any_database: Data) -> None:
    add_story(any_database)
    rest = {
        name: document for name, document in snapshot(any_database).items() if name not in STORY
    }
    SoftDeletableRepository(any_database, "projects").soft_delete(PROJECT, OWNER, EARLIER)

    report = purge(any_database)

    assert snapshot(any_database) == rest
    assert numbers(report, "due") == numbers(report, "removed") == WHOLE_STORY
    assert purge(any_database).due == 0


def test_counting_tells_what_is_due_and_removes_nothing(database: Data) -> None:
    add_story(database, ALL_OLD)
    before = snapshot(database)

    report = Purge(database, NOW, dry_run=True).count()

    assert snapshot(database) == before
    assert numbers(report, "due") == WHOLE_STORY
    assert report.removed == 0
    assert [count.collection for count in report.counts] == [*children_first()]
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
def test_what_stays_keeps_all_that_it_belongs_to(
    database: Data, fields: dict[str, Any], why: str, not_deleted: dict[str, int]
) -> None:
    add_story(database, {**ALL_OLD, "clip-inside": fields})
    counted = Purge(database, NOW, dry_run=True).count()

    report = purge(database)

    assert STORY & snapshot(database).keys() == {"clip-inside", INNER, SCENE, PROJECT}
    assert numbers(report, "kept") == {"scenes": 2, "projects": 1}
    assert numbers(report, "removed") == numbers(counted, "due")
    assert str(report.kept[0]) == (
        f"{INNER!r} of scenes: 'clip-inside' of clips belongs to it and {why}."
    )
    assert {str(kept).partition(": ")[2] for kept in report.kept[1:]} <= {
        f"{scene!r} of scenes belongs to it and is kept." for scene in (INNER, SCENE)
    }
    assert numbers(report, "not_deleted") == not_deleted


def test_a_document_below_two_deleted_ones_is_counted_once(database: Data) -> None:
    add_story(database, {**ALL_OLD, INNER: ALIVE})

    report = purge(database)

    assert numbers(report, "not_deleted") == {"scenes": 1}
    assert {SCENE, INNER, PROJECT} <= snapshot(database).keys()


def test_a_deletion_time_that_cannot_be_read_is_counted_and_left_alone(database: Data) -> None:
    strange: list[Any] = ["2020-01-01", 0, [EARLIER], {}]
    database["clips"].insert_many([{"deleted_at": document} for document in strange])

    report = purge(database)

    assert database["clips"].count_documents({}) == len(strange)
    assert (report.due, numbers(report, "unreadable")) == (0, {"clips": len(strange)})


def test_an_empty_id_owns_nothing(database: Data) -> None:
    add_story(database, {PROJECT: {"id": "", **OLD}, "for-all": {"project_id": ""}})

    report = purge(database)

    assert (report.removed, report.kept_count) == (1, 0)


def test_scenes_in_a_circle_go_together(database: Data) -> None:
    add_story(database, {**ALL_OLD, SCENE: {"parent_scene_id": INNER, **OLD}})

    assert purge(database).removed == len(STORY)


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


def test_what_came_to_hang_on_it_after_the_count_keeps_it(database: Data) -> None:
    add_story(database, ALL_OLD)
    work = Purge(database, NOW, dry_run=False)
    work.count()
    database["clips"].insert_one({"id": "late", "scene_id": SCENE})

    report = work.remove()

    assert {"late", SCENE, PROJECT} == snapshot_ids(database) & {"late", *STORY}
    assert numbers(report, "due")["projects"] == 1
    assert "projects" not in numbers(report, "removed")


def snapshot_ids(database: Data) -> set[str]:
    return {document["id"] for name in WHOLE_STORY for document in database[name].find()}


PURGE_WRITES = 5


@pytest.mark.parametrize("fatal", range(1, PURGE_WRITES + 1))
def test_a_killed_purge_leaves_no_child_without_its_parent_and_is_ended_by_the_next(
    mongo_url: str, database: Data, fatal: int
) -> None:
    add_story(database, ALL_OLD)
    assert killed(purge_story, mongo_url, database.name, fatal)
    half = snapshot(database).keys()
    assert PROJECT in half
    assert SCENE in half or not {INNER, "clip"} & half

    purge(database)

    assert not STORY & snapshot(database).keys()


def test_two_at_once_remove_everything_once(database: Data) -> None:
    add_story(database, ALL_OLD)

    with ThreadPoolExecutor(2) as pool:
        reports = [*pool.map(purge, [database, database])]

    assert not STORY & snapshot(database).keys()
    assert sum(report.removed for report in reports) == len(STORY)
