"""Deleting and restoring, in a transaction on a replica set and on a standalone server."""

from collections.abc import Callable, Iterator
from typing import Any

import pymongo
import pytest
from pymongo.client_session import ClientSession

from db import errors
from db.characters import CharacterRepository
from db.schema.collections import COLLECTIONS, Collection
from db.setup.compare import validation
from db.soft_delete.cascade import in_one_transaction
from db.soft_delete.marks import Deleted
from db.soft_delete.recycle_bin import list_deleted
from db.soft_delete.repository import SoftDeletableRepository
from db.soft_delete.story import Action, StoryChange
from tests.support.db.database_state import Data
from tests.support.db.killed import delete_story, killed, restore_story
from tests.support.db.records import entry
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
    marked,
    snapshot,
)

MARK = (NOW, OWNER)
DELETED = {"deleted_at": NOW, "deleted_by": OWNER}


@pytest.fixture
def short_transactions(database: Data) -> Iterator[None]:
    """Let the server end a dead process's transaction after 3 s instead of 60 s.

    Other tests use the server meanwhile; their transactions take less than that.
    """
    admin, name = database.client.admin, "transactionLifetimeLimitSeconds"
    usual = admin.command("getParameter", 1, **{name: 1})[name]
    admin.command("setParameter", 1, **{name: 3})
    yield
    admin.command("setParameter", 1, **{name: usual})


def registered(name: str) -> Collection:
    [found] = (collection for collection in COLLECTIONS if collection.name == name)
    return found


def add_unique_indexes(database: Data, collection: str) -> None:
    for index in registered(collection).indexes:
        if index.unique:
            database[collection].create_index(index.keys, **index.creation)


def repository(database: Data, collection: str = "projects") -> SoftDeletableRepository:
    return SoftDeletableRepository(database, collection)


def test_a_project_takes_all_that_it_owns_with_it_and_nothing_else(any_database: Data) -> None:
    add_story(any_database)

    counts = repository(any_database).soft_delete(PROJECT, OWNER, NOW)

    assert marked(any_database) == dict.fromkeys(STORY_IDS, MARK)
    assert counts == WHOLE_STORY


def test_a_restore_brings_back_what_was_deleted_with_it_and_nothing_else(
    any_database: Data,
) -> None:
    add_story(any_database)
    repository(any_database, "scenes").soft_delete(INNER, OWNER, EARLIER)
    before = snapshot(any_database)
    repository(any_database).soft_delete(PROJECT, OWNER, NOW)

    counts = repository(any_database).restore(PROJECT)

    assert snapshot(any_database) == before
    assert set(marked(any_database)) == {INNER, "clip-inside"}
    assert counts == {**WHOLE_STORY, "scenes": 1, "clips": 1}
    assert repository(any_database).restore(PROJECT) == {}
    assert snapshot(any_database) == before


def test_a_second_deletion_keeps_the_first_mark_and_marks_what_came_since(
    any_database: Data,
) -> None:
    add_story(any_database)
    repository(any_database).soft_delete(PROJECT, OWNER, NOW)
    any_database["clips"].insert_one({"id": "late", "scene_id": SCENE, "deleted_at": None})

    counts = repository(any_database).soft_delete(PROJECT, "user-2", LATER)

    assert marked(any_database) == dict.fromkeys({*STORY_IDS, "late"}, MARK)
    assert counts == {"clips": 1}


def test_scenes_in_a_circle_go_and_come_back_together(database: Data) -> None:
    add_story(database, {SCENE: {"parent_scene_id": INNER}})
    before = snapshot(database)
    scenes = repository(database, "scenes")

    scenes.soft_delete(INNER, OWNER, NOW)
    gone = set(marked(database))
    scenes.restore(SCENE)

    assert gone == {SCENE, INNER, "clip", "clip-inside"}
    assert snapshot(database) == before


def test_a_document_with_an_empty_id_owns_nothing(database: Data) -> None:
    add_story(database, {PROJECT: {"id": ""}, "for-all": {"project_id": ""}})

    assert repository(database).soft_delete("", OWNER, NOW) == {"projects": 1}


def test_a_marked_document_is_valid(database: Data) -> None:
    database.create_collection("projects", **validation(registered("projects"), "error"))
    database["projects"].insert_one({"id": PROJECT, "name": "Story"})

    repository(database).soft_delete(PROJECT, OWNER, NOW)
    repository(database).restore(PROJECT)

    assert repository(database).find(PROJECT)["name"] == "Story"


DELETION_WRITES = 7
RESTORE_WRITES = 6


@pytest.mark.parametrize("fatal", range(1, DELETION_WRITES + 1))
def test_the_next_deletion_completes_a_killed_deletion_with_its_mark(
    standalone_url: str, standalone: Data, fatal: int
) -> None:
    add_story(standalone)
    before = snapshot(standalone)
    assert killed(delete_story, standalone_url, standalone.name, fatal)
    assert PROJECT not in marked(standalone)

    delete_story(standalone, LATER)

    assert marked(standalone) == dict.fromkeys(STORY_IDS, MARK if fatal > 1 else (LATER, OWNER))
    restore_story(standalone)
    assert snapshot(standalone) == before


@pytest.mark.parametrize("fatal", [2, DELETION_WRITES])
def test_a_killed_deletion_is_undone_by_a_restore(
    standalone_url: str, standalone: Data, fatal: int
) -> None:
    add_story(standalone, {"clip": {"deleted_at": EARLIER, "deleted_by": OWNER}})
    before = snapshot(standalone)
    assert killed(delete_story, standalone_url, standalone.name, fatal)

    restore_story(standalone)

    assert snapshot(standalone) == before


@pytest.mark.parametrize("fatal", range(1, RESTORE_WRITES + 1))
def test_the_next_restore_completes_a_killed_restore(
    standalone_url: str, standalone: Data, fatal: int
) -> None:
    add_story(standalone)
    before = snapshot(standalone)
    delete_story(standalone)
    assert killed(restore_story, standalone_url, standalone.name, fatal)

    restore_story(standalone)

    assert snapshot(standalone) == before


def story_change(database: Data, action: Action) -> StoryChange:
    return StoryChange(database, action, "projects", PROJECT, OWNER, NOW)


@pytest.mark.parametrize("action", ["delete", "restore"])
def test_what_was_counted_is_what_is_done_also_after_a_try_whose_answer_was_lost(
    any_database: Data, action: Action
) -> None:
    add_story(any_database, {INNER: {"parent_scene_id": SCENE}})
    if action == "restore":
        delete_story(any_database)
    change = story_change(any_database, action)
    counted = change.count(dry_run=False)

    done, again = (change.apply(counted) for _ in range(2))

    assert done == again == counted.model_copy(update={"done": True})
    assert counted.counts == WHOLE_STORY


@pytest.mark.parametrize("fatal", [2, DELETION_WRITES])
def test_a_killed_deletion_is_counted_whole_when_it_is_completed_or_undone(
    standalone_url: str, standalone: Data, fatal: int
) -> None:
    add_story(standalone)
    assert killed(delete_story, standalone_url, standalone.name, fatal)
    undo = story_change(standalone, "restore").count(dry_run=True)
    change = story_change(standalone, "delete")

    deleted = change.apply(change.count(dry_run=False))

    assert deleted.counts == WHOLE_STORY
    assert undo.documents == {2: 0, DELETION_WRITES: 6}[fatal]
    assert list_deleted(standalone, NOW, 30).documents[0].together == WHOLE_STORY


def test_scenes_that_own_each_other_are_counted_in_the_bin(database: Data) -> None:
    add_story(database, {SCENE: {"parent_scene_id": INNER}})
    repository(database, "scenes").soft_delete(INNER, OWNER, NOW)

    report = list_deleted(database, LATER, 30)

    assert (report.counts, report.documents) == ({"scenes": 2, "clips": 2}, ())


@pytest.mark.usefixtures("short_transactions")
def test_a_transaction_killed_at_its_end_leaves_nothing_done(
    mongo_url: str, database: Data
) -> None:
    add_story(database)
    before = snapshot(database)
    assert killed(delete_story, mongo_url, database.name, DELETION_WRITES)
    assert snapshot(database) == before

    delete_story(database, LATER)

    assert marked(database) == dict.fromkeys(STORY_IDS, (LATER, OWNER))


def test_a_failure_inside_leaves_nothing_done_on_a_replica_set(database: Data) -> None:
    def work(session: ClientSession | None) -> None:
        database["projects"].insert_one({"id": "half"}, session=session)
        raise errors.UnknownDocument("stop")

    with pytest.raises(errors.UnknownDocument):
        in_one_transaction(database, work)

    assert database["projects"].count_documents({}) == 0


def test_a_transaction_blocked_by_others_can_be_tried_again_later(database: Data) -> None:
    add_story(database)
    client = database.client

    with client.start_session() as other, other.start_transaction():
        database["clips"].update_one({"id": "clip"}, {"$set": {"order": 1}}, session=other)
        with (
            pymongo.timeout(0.5),
            pytest.raises(errors.TransactionUnfinished, match="try again") as error,
        ):
            in_one_transaction(
                database,
                lambda session: database["clips"].delete_one({"id": "clip"}, session=session),
            )

    assert error.value.retryable
    assert "clip" in snapshot(database)


def test_a_child_is_not_restored_below_a_deleted_parent(database: Data) -> None:
    add_story(database)
    delete_story(database)

    with pytest.raises(errors.ParentDeleted, match=f"'{SCENE}' of scenes, which is deleted"):
        repository(database, "clips").restore("clip")

    assert "clip" in marked(database)


@pytest.mark.parametrize(
    ("collection", "field", "index", "value"),
    [
        ("users", "username", "mira", "'mira'"),
        ("comfyui_servers", "url", "http://me:hunter2@host:1", "'http://host:1'"),
    ],
)
def test_a_restore_is_refused_when_a_unique_value_is_used_again(
    database: Data, collection: str, field: str, index: str, value: str
) -> None:
    add_unique_indexes(database, collection)
    database[collection].insert_one({"id": "a", field: index, "email": "a", **DELETED})
    database[collection].insert_one({"id": "b", field: index, "email": "b"})

    with pytest.raises(errors.ValueTaken, match=f"{field} {value}; change or delete") as error:
        repository(database, collection).restore("a")

    assert "hunter2" not in str(error.value)
    assert repository(database, collection).find("a", deleted="only")[field] == index


def test_an_update_is_refused_when_a_unique_value_is_taken(database: Data) -> None:
    add_unique_indexes(database, "users")
    database["users"].insert_many(
        [{"id": name, "username": name, "email": name} for name in ("mira", "nora")]
    )

    with pytest.raises(errors.ValueTaken, match="username 'mira'"):
        repository(database, "users").update("nora", {"username": "mira"}, NOW)


def test_a_document_is_found_and_changed_only_on_its_side_of_the_rule(database: Data) -> None:
    add_story(database, {PROJECT: DELETED})
    before = snapshot(database)
    projects = repository(database)

    with pytest.raises(errors.DocumentDeleted, match=r"deleted at 2026-11-21.*restore it first"):
        projects.find(PROJECT)
    with pytest.raises(errors.DocumentDeleted):
        projects.update(PROJECT, {"name": "New"}, NOW)
    with pytest.raises(errors.DocumentNotDeleted, match="other"):
        projects.find("other", deleted="only")

    assert projects.find(PROJECT, deleted="any") == projects.find(PROJECT, deleted="only")
    assert snapshot(database) == before


def test_an_update_sets_the_fields_and_the_time(database: Data) -> None:
    add_story(database)

    changed = repository(database).update(PROJECT, {"name": "New"}, NOW)

    assert (changed["name"], changed["updated_at"]) == ("New", NOW)
    assert repository(database).find(PROJECT) == changed
    assert snapshot(database)["other"]["name"] == "other"


@pytest.mark.parametrize("path", ["deleted_at", "deleted_by", "id", "_id", "deletion_begun.x"])
def test_an_update_leaves_id_and_mark_alone(database: Data, path: str) -> None:
    add_story(database)

    with pytest.raises(errors.FieldProtected, match=path):
        repository(database).update(PROJECT, {path: "x"}, NOW)


def test_lists_follow_the_rule_and_the_callers_own_condition(database: Data) -> None:
    add_story(database, {PROJECT: DELETED, "other": {"deleted_at": LATER}})
    database["projects"].insert_one({"id": "new"})
    found = repository(database).find_many
    young = {"deleted_at": {"$gt": NOW}}
    cases: list[tuple[Deleted, dict[str, Any], list[str]]] = [
        ("not", {}, ["new"]),
        ("only", {}, ["other", PROJECT]),
        ("any", {}, ["new", "other", PROJECT]),
        ("only", young, ["other"]),
        ("not", young, []),
    ]

    for deleted, query, expected in cases:
        projects = found(query, deleted=deleted, sort={"id": 1})
        assert [project["id"] for project in projects] == expected
    assert len([*found({}, deleted="only", limit=1)]) == 1


def test_pending_effects_do_not_reach_a_deleted_character(database: Data) -> None:
    add_story(database, {"mira": DELETED})
    before = snapshot(database)
    characters = CharacterRepository(database)

    characters.add_history("mira", entry(1), NOW)
    characters.add_to_gallery("mira", "enhanced_faces", "a.png", NOW)
    characters.set_age_variant("mira", 45, "b.png", NOW)

    assert snapshot(database) == before


def test_an_unknown_id_is_named(database: Data) -> None:
    projects = repository(database)
    works: list[Callable[[], object]] = [
        lambda: projects.find("unknown"),
        lambda: projects.update("unknown", {}, NOW),
        lambda: projects.soft_delete("unknown", OWNER, NOW),
        lambda: projects.restore("unknown"),
    ]

    for work in works:
        with pytest.raises(errors.UnknownDocument, match="no 'unknown' in projects"):
            work()


def test_a_collection_without_marks_is_refused(database: Data) -> None:
    with pytest.raises(errors.NotSoftDeletable, match=r"'images'.*projects, scenes"):
        repository(database, "images")
