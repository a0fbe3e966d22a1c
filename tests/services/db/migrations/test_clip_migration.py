"""A clip's project from its scene, and its length under one name."""

from typing import Any

import pytest
from bson import Decimal128, Int64

from tests.support.db.database_state import Data
from tests.support.db.migrating import (
    UNDO,
    assert_reversible,
    by_id,
    go_up,
    raw_documents,
    unresolved,
    up_and_down,
    whole,
)

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


Table = dict[str, tuple[dict[str, Any], Any]]


def add(database: Data, *clips: dict[str, Any]) -> None:
    database["scenes"].insert_many([{**scene} for scene in SCENES])
    database["clips"].insert_many([{**clip} for clip in clips])


def add_table(database: Data, table: Table) -> None:
    add(database, *({"id": name, **clip, "last": 1} for name, (clip, _) in table.items()))


def change(database: Data, **fields: Any) -> None:
    database["clips"].update_one({}, {"$set": fields})


@pytest.mark.parametrize(("field", "table"), [("project_id", PROJECTS), ("length", LENGTHS)])
def test_a_missing_field_is_filled_in_with_a_value_of_its_type(
    database: Data, field: str, table: Table
) -> None:
    """The project is the scene's; the length is the duration."""
    add_table(database, table)

    go_up(database, 3)

    clips = by_id(database, "clips")
    for name, (clip, value) in table.items():
        found = clips[name].pop(field, None)
        assert (found, type(found)) == (value, type(value)), name
        others = [key for key in clip if key != field]
        # As text, since NaN differs from itself.
        assert str([clips[name][key] for key in others]) == str([clip[key] for key in others])


def test_clips_of_known_project_are_counted_and_the_others_listed_and_left(database: Data) -> None:
    add_table(database, PROJECTS)
    before = dict(zip(PROJECTS, raw_documents(database)["clips"], strict=True))

    report = go_up(database, 3)

    assert report.counts == {"clips.length": 0, "clips.project_id": 3}
    listed = unresolved(database, 3)[LOST]
    after = dict(zip(PROJECTS, raw_documents(database)["clips"], strict=True))
    assert set(listed) == {name for name, (_, project) in PROJECTS.items() if project is None}
    assert [name for name in listed if after[name] != before[name]] == []


def test_a_second_run_changes_nothing_and_undoing_gives_the_same_bytes(database: Data) -> None:
    add_table(database, PROJECTS | LENGTHS)

    assert_reversible(database, 3)


@pytest.mark.parametrize("changed", [{"project_id": "p-7"}, {"length": 8}], ids=str)
def test_a_field_that_was_changed_since_stays(database: Data, changed: dict[str, Any]) -> None:
    clip = {"_id": 1, "scene_id": "s-1", "duration": 3}
    add(database, clip)

    up_and_down(database, 3, lambda: change(database, **changed))

    assert database["clips"].find_one() == clip | changed


def test_a_new_clip_and_a_scene_that_gets_a_project_are_found_by_the_next_run(
    database: Data,
) -> None:
    add(database, {"id": "old", "scene_id": "s-1"}, {"id": "c", "scene_id": "s-2"})
    go_up(database, 3)
    database["clips"].insert_one({"id": "new", "scene_id": "s-5"})
    database["scenes"].update_one({"id": "s-2"}, {"$set": {"project_id": "p-2"}})

    go_up(database, 3)

    clips = by_id(database, "clips")
    assert (clips["new"]["project_id"], clips["c"]["project_id"]) == ("p-5", "p-2")


def test_a_clip_that_was_half_undone_is_filled_in_again_and_undone_exactly(database: Data) -> None:
    add(database, {"scene_id": "s-1", "duration": 3, "project_id": None, "last": 1})
    before = whole(database)
    go_up(database, 3)
    half = {"$set": {"project_id": None}, "$unset": {f"{UNDO}.m0003.project_id": 1}}
    database["clips"].update_one({}, half)

    up_and_down(database, 3)

    assert whole(database) == before
