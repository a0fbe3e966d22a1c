"""A clip's project from its scene, and its length under one name."""

from typing import Any

import pytest
from bson import Decimal128, Int64
from pymongo.database import Database

from tests.support.db.migrating import (
    UNDO,
    by_id,
    check,
    go_down,
    go_up,
    raw_documents,
    unresolved,
    up_and_down,
    whole,
)

Data = Database[dict[str, Any]]
LOST = "Clips without project whose scene has none or is gone"
SCENES: list[dict[str, Any]] = [
    {"id": "s-1", "project_id": "p-1"},
    {"id": "s-2"},
    {"id": "s-3", "project_id": None},
    {"id": "s-4", "project_id": 7},
    {"id": "s-5", "project_id": "p-5", "deleted_at": "2026-01-02"},
]
PROJECTS: dict[str, tuple[dict[str, Any], Any]] = {
    "no project": ({"scene_id": "s-1"}, "p-1"),
    "a null project": ({"project_id": None, "scene_id": "s-1"}, "p-1"),
    "another project": ({"scene_id": "s-1", "project_id": "p-2"}, "p-2"),
    "a project and no scene": ({"project_id": "p-2"}, "p-2"),
    "a deleted scene": ({"scene_id": "s-5"}, "p-5"),
    "a scene without project": ({"scene_id": "s-2"}, None),
    "a scene of a null project": ({"scene_id": "s-3"}, None),
    "a scene of a broken project": ({"scene_id": "s-4"}, None),
    "a scene that is gone": ({"scene_id": "s-9", "project_id": None}, None),
    "no scene": ({"name": "x"}, None),
    "a null scene": ({"scene_id": None}, None),
    "a scene that is no text": ({"scene_id": 7}, None),
    "a list that holds null": ({"scene_id": "s-1", "project_id": [None]}, [None]),
}
LENGTHS: dict[str, tuple[dict[str, Any], Any]] = {
    "a duration": ({"duration": 3.5}, 3.5),
    "a duration and null": ({"length": None, "duration": 4}, 4),
    "a long duration": ({"duration": Int64(4)}, Int64(4)),
    "an exact duration": ({"duration": Decimal128("0.10")}, Decimal128("0.10")),
    "both": ({"duration": 3, "length": 5}, 5),
    "a broken length": ({"duration": 3, "length": "5 s"}, "5 s"),
    "a length of zero": ({"duration": 3, "length": 0}, 0),
    "no duration": ({}, None),
    "a null duration": ({"duration": None, "length": None}, None),
    "a duration that is text": ({"duration": "3.5"}, None),
    "a duration of zero": ({"duration": 0}, None),
    "a duration below zero": ({"duration": -1.5}, None),
    "a duration that is no number": ({"duration": float("nan")}, None),
    "a duration that is true": ({"duration": True}, None),
}


def add(database: Data, table: dict[str, tuple[dict[str, Any], Any]]) -> None:
    database["scenes"].insert_many([{**scene} for scene in SCENES])
    clips = [{"id": name, **clip, "last": 1} for name, (clip, _) in table.items()]
    database["clips"].insert_many(clips)


def add_one(database: Data, **fields: Any) -> None:
    database["scenes"].insert_many([{**scene} for scene in SCENES])
    database["clips"].insert_one({"_id": 1, **fields})


def change(database: Data, **fields: Any) -> None:
    database["clips"].update_one({}, {"$set": fields})


def test_the_project_comes_from_the_scene(database: Data) -> None:
    add(database, PROJECTS)

    go_up(database, 3)

    found = {name: clip.get("project_id") for name, clip in by_id(database, "clips").items()}
    assert found == {name: project for name, (_, project) in PROJECTS.items()}


def test_clips_of_unknown_project_are_listed_and_left(database: Data) -> None:
    add(database, PROJECTS)
    before = dict(zip(PROJECTS, raw_documents(database)["clips"], strict=True))

    go_up(database, 3)

    listed = unresolved(database, 3)[LOST]
    after = dict(zip(PROJECTS, raw_documents(database)["clips"], strict=True))
    assert set(listed) == {name for name, (_, project) in PROJECTS.items() if project is None}
    assert [name for name in listed if after[name] != before[name]] == []


def test_the_length_is_the_duration_where_there_is_none(database: Data) -> None:
    add(database, LENGTHS)

    go_up(database, 3)

    found = {name: clip.get("length") for name, clip in by_id(database, "clips").items()}
    assert found == {name: length for name, (_, length) in LENGTHS.items()}
    assert {name: type(length) for name, length in found.items()} == {
        name: type(length) for name, (_, length) in LENGTHS.items()
    }


@pytest.mark.parametrize("table", [PROJECTS, LENGTHS], ids=["projects", "lengths"])
def test_undoing_gives_the_same_bytes(
    database: Data, table: dict[str, tuple[dict[str, Any], Any]]
) -> None:
    add(database, table)
    before = whole(database)

    go_up(database, 3)
    assert check(database, 3).is_done
    go_down(database, 3)

    assert whole(database) == before


def test_a_second_run_changes_nothing(database: Data) -> None:
    add(database, PROJECTS | LENGTHS)
    go_up(database, 3)
    after = whole(database)

    go_up(database, 3)

    assert whole(database) == after


def test_it_tells_how_many_it_filled_in(database: Data) -> None:
    add(database, PROJECTS)

    assert go_up(database, 3).counts == {"clips.length": 0, "clips.project_id": 3}


def test_the_duration_stays(database: Data) -> None:
    add_one(database, duration=3)

    go_up(database, 3)

    assert (database["clips"].find_one() or {})["duration"] == 3


def test_a_clip_that_was_moved_since_keeps_its_project(database: Data) -> None:
    add_one(database, scene_id="s-1", duration=3)

    up_and_down(database, 3, lambda: change(database, project_id="p-7"))

    assert database["clips"].find_one() == {
        "_id": 1,
        "scene_id": "s-1",
        "duration": 3,
        "project_id": "p-7",
    }


def test_a_length_that_was_changed_since_stays(database: Data) -> None:
    add_one(database, scene_id="s-1", duration=3)

    up_and_down(database, 3, lambda: change(database, length=8))

    assert database["clips"].find_one() == {
        "_id": 1,
        "scene_id": "s-1",
        "duration": 3,
        "length": 8,
    }


def test_a_clip_that_comes_later_is_filled_in_by_the_next_run(database: Data) -> None:
    add_one(database, id="old", scene_id="s-1")
    go_up(database, 3)
    database["clips"].insert_one({"id": "new", "scene_id": "s-5"})

    go_up(database, 3)

    assert by_id(database, "clips")["new"]["project_id"] == "p-5"


def test_a_clip_whose_scene_gets_a_project_is_filled_in_by_the_next_run(database: Data) -> None:
    add_one(database, id="c", scene_id="s-2")
    go_up(database, 3)
    database["scenes"].update_one({"id": "s-2"}, {"$set": {"project_id": "p-2"}})

    go_up(database, 3)

    assert by_id(database, "clips")["c"]["project_id"] == "p-2"


def test_one_that_was_half_undone_is_done_again_and_undone_exactly(database: Data) -> None:
    add_one(database, scene_id="s-1", duration=3, project_id=None, last=1)
    before = whole(database)
    go_up(database, 3)
    half = {"$set": {"project_id": None}, "$unset": {f"{UNDO}.m0003.project_id": 1}}
    database["clips"].update_one({}, half)

    up_and_down(database, 3)

    assert whole(database) == before


def test_a_database_without_clips_gets_no_collection(database: Data) -> None:
    go_up(database, 3)

    assert raw_documents(database) == {}
